// The buttons, legend, badge and hint on the map.

const ICONS = {
  undo: '<path d="M9 14 4 9l5-5"/><path d="M4 9h10a6 6 0 0 1 0 12h-3"/>',
  reverse: '<path d="M7 4v16m0 0-3-3m3 3 3-3"/><path d="M17 20V4m0 0-3 3m3-3 3 3"/>',
  clear: '<path d="M5 7h14M10 11v6M14 11v6M6 7l1 13h10l1-13M9 7V4h6v3"/>',
  fit: '<path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"/>',
  play: '<path d="M7 4.5v15l12-7.5z" fill="currentColor"/>',
  pause: '<path d="M8 5v14M16 5v14" stroke-width="3.5"/>',
  points: '<path d="M4 18h.01M8 13h.01M12 10h.01M16 8h.01M20 5h.01" stroke-width="4"/>',
  online: '<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18"/>',
};

/** Return an icon's SVG. */
export function icon(name) {
  return `<svg viewBox="0 0 24 24" width="16" height="16" fill="none" stroke="currentColor" stroke-width="2"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${ICONS[name]}</svg>`;
}

/** A MapLibre control: one group of buttons `[name, label, action]`. */
export class Buttons {
  constructor(buttons) {
    this.buttons = buttons;
    this.elements = {};
  }

  onAdd() {
    const group = document.createElement("div");
    group.className = "maplibregl-ctrl maplibregl-ctrl-group htp-buttons";
    for (const [name, label, action] of this.buttons) {
      const button = document.createElement("button");
      button.type = "button";
      button.title = label;
      button.setAttribute("aria-label", label);
      button.innerHTML = icon(name);
      button.addEventListener("click", action);
      this.elements[name] = button;
      group.append(button);
    }
    this.group = group;
    return group;
  }

  onRemove() {
    this.group.remove();
  }

  enable(name, enabled) {
    this.elements[name].disabled = !enabled;
  }

  press(name, pressed) {
    this.elements[name].setAttribute("aria-pressed", String(pressed));
  }
}

/** The legend of the speed ramp, the badge "simulated" and the hint, as elements over the map. */
export class Overlay {
  constructor(parent) {
    this.hint = this.add(parent, "htp-hint");
    this.hint.setAttribute("role", "status");
    this.panel = this.add(parent, "htp-legend");
    this.hint.hidden = this.panel.hidden = true;
  }

  add(parent, name) {
    const element = document.createElement("div");
    element.className = name;
    parent.append(element);
    return element;
  }

  /** `hint` is `{text, kind}` with kind "info" or "error", or null. */
  say(hint) {
    this.hint.hidden = !hint;
    if (hint) {
      this.hint.textContent = hint.text;
      this.hint.dataset.kind = hint.kind;
    }
  }

  /** Show the ramp where there are trips, and `badge` (a word or null) wherever it is given. */
  legend(ramp, maxKmh, shown, badge) {
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => `<span>${Math.round(share * maxKmh)}</span>`).join("");
    const scale = `<div class="title">Speed, km/h</div>
      <div class="ramp" style="background:linear-gradient(90deg,${ramp.join(",")})"></div><div class="ticks">${ticks}</div>`;
    this.panel.innerHTML = (shown ? scale : "") + '<div class="badge"></div>';
    this.panel.querySelector(".badge").textContent = badge ?? "";
    this.panel.hidden = !shown && !badge;
  }
}
