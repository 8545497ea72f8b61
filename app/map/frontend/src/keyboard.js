// Let the map be used without a mouse: arrows move it under a crosshair, Enter is a click there.

/** Show a crosshair while the map has the keyboard, and fire a click in its middle at Enter. */
export function crosshair(map) {
  const canvas = map.getCanvas();
  const cross = Object.assign(document.createElement("div"), { className: "htp-crosshair", hidden: true });
  map.getContainer().append(cross);
  canvas.setAttribute("aria-label", "Map: arrow keys move it, plus and minus zoom, Enter sets a point in its middle");
  canvas.addEventListener("focus", () => { cross.hidden = !canvas.matches(":focus-visible"); });
  canvas.addEventListener("blur", () => { cross.hidden = true; });
  canvas.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const lngLat = map.getCenter();
    map.fire("click", { lngLat, point: map.project(lngLat), originalEvent: event });
  });
}
