// Draw tiles as buttons; on later calls only what has changed, so that nothing flickers and the focus stays.

const galleries = new WeakMap(); // shadow root -> {host, version, buttons}

function tileButton(tile, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = tile.help;
  button.setAttribute("aria-label", `${tile.title}, ${tile.help}`);
  button.dataset.code = tile.code;
  const title = Object.assign(document.createElement("b"), { textContent: tile.title });
  const note = Object.assign(document.createElement("small"), { textContent: tile.note });
  const head = document.createElement("span");
  head.append(title, note);
  const bar = document.createElement("i");
  bar.style.setProperty("--share", tile.share);
  button.append(head, bar);
  button.insertAdjacentHTML("beforeend", tile.svg); // made by app/components/codebook_charts.py from numbers alone
  button.addEventListener("click", () => choose(tile.code));
  return button;
}

/** The arrow keys go from tile to tile, as in a grid. */
function walk(event, host) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(host), ArrowDown: columns(host) };
  const buttons = [...host.children];
  const next = buttons[buttons.indexOf(event.target) + steps[event.key]];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

const columns = (host) => getComputedStyle(host).gridTemplateColumns.split(" ").length;

/** Mark the chosen tile; a click does so at once, before Python has answered. */
function mark(host, chosen) {
  for (const button of host.children) button.setAttribute("aria-pressed", String(Number(button.dataset.code) === chosen));
}

export default function ({ data, parentElement: root, setTriggerValue }) {
  let gallery = galleries.get(root);
  if (!gallery) {
    const host = document.createElement("div");
    host.className = "htp-gallery";
    host.setAttribute("role", "group");
    host.addEventListener("keydown", (event) => walk(event, host));
    root.append(host);
    gallery = { host };
    galleries.set(root, gallery);
  }
  const { host } = gallery;
  gallery.choose = (code) => {
    const again = host.querySelector("[aria-pressed='true']")?.dataset.code === String(code);
    mark(host, again ? null : code);
    setTriggerValue("chosen", code);
  };
  host.style.height = data.height;
  if (gallery.version !== data.version) {
    gallery.version = data.version;
    host.replaceChildren(...data.tiles.map((tile) => tileButton(tile, (code) => gallery.choose(code))));
    host.scrollTop = 0;
  }
  host.dataset.tiles = data.tiles.length; // for tests
  mark(host, data.chosen);
}
