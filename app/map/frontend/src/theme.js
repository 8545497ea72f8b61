// The map's colours in light and dark, and the speed ramp with its legend.
//
// The ramp runs from red (slow) over yellow to blue (fast) like ColorBrewer's RdYlBu: traffic's own colours, without the green
// that colour-blind people take for red.

export const LIGHT = {
  dark: false,
  land: "#f4f3ef",
  sea: "#cfdde6",
  water: "#cfdde6",
  park: "#dfe8d6",
  built: "#e8e5de",
  place: "#3f4854",
  minor: "#ffffff",
  middle: "#ffffff",
  major: "#ffffff",
  casing: "#d0d6de",
  far: ["#c3cad4", "#aeb8c4", "#8e9aa9"], // minor, middle, major roads as hairs
  label: "#5d6875",
  halo: "#f6f7f9",
  route: "#1f2a37",
  routeCasing: "#ffffff",
  routeOpacity: 0.62,
  pointRim: "rgba(255,255,255,0.85)",
  ramp: ["#b0122c", "#e0572b", "#f0a43a", "#5fb0b7", "#2a78b8", "#2b3f8c"],
};

export const DARK = {
  dark: true,
  land: "#141920",
  sea: "#0a1622",
  water: "#0a1622",
  park: "#15211c",
  built: "#1d252f",
  place: "#c3ccd6",
  minor: "#232a34",
  middle: "#2e3743",
  major: "#3b4654",
  casing: "#10141a",
  far: ["#2b3440", "#3a4553", "#566475"],
  label: "#93a0af",
  halo: "#10141a",
  route: "#e8edf3",
  routeCasing: "#10141a",
  routeOpacity: 0.55,
  pointRim: "rgba(10,13,18,0.75)",
  ramp: ["#ff5a4f", "#ff9650", "#ffd166", "#9fe0dd", "#58b7f0", "#5f86f2"],
};

/** Return the palette that suits the app's theme, read from the variables that Streamlit sets on the host. */
export function palette(element) {
  const colour = getComputedStyle(element).getPropertyValue("--st-background-color").trim();
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = colour || "#ffffff";
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(probe.fillStyle.slice(i, i + 2), 16));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 128 ? DARK : LIGHT;
}

/** Return a MapLibre expression: colour by a property, from 0 to `end`. */
export function rampColour(ramp, property, end) {
  const stops = ramp.flatMap((colour, i) => [(i / (ramp.length - 1)) * end, colour]);
  return ["interpolate", ["linear"], ["get", property], ...stops];
}
