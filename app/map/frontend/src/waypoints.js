// Pick a route: origin, stops and destination by clicks, dragged, removed, undone; Python routes between them.
import { Marker } from "maplibre-gl";

const LETTER = (i, count) => (i === 0 ? "A" : i === count - 1 ? "B" : String(i));
const ROLE = (i, count) => (i === 0 ? "Origin" : i === count - 1 ? "Destination" : `Stop ${i}`);
const DIGITS = 6; // of a degree: 0.1 m

/** Return a place as [lon, lat] in degrees that a person can read. */
export const rounded = (point) => [point.lng, point.lat].map((degrees) => Number(degrees.toFixed(DIGITS)));

export class Waypoints {
  /** `changed(points)` is called after every change that the person at the map makes. */
  constructor(map, changed) {
    this.map = map;
    this.changed = changed;
    this.points = [];
    this.revision = 0;
    this.markers = [];
    map.on("click", (event) => this.set([...this.points, rounded(event.lngLat)]));
  }

  /** Take over what Python knows, unless the person has moved on since. */
  receive(points, revision) {
    if (revision < this.revision) return false;
    this.revision = revision;
    const known = JSON.stringify(points) === JSON.stringify(this.points);
    this.points = points;
    if (!known) this.draw(); // pins that are as they should be stay, also the one being dragged
    return true;
  }

  set(points) {
    this.revision += 1;
    this.points = points;
    this.draw();
    this.changed({ points, revision: this.revision });
  }

  undo() {
    if (this.points.length) this.set(this.points.slice(0, -1));
  }

  clear() {
    if (this.points.length) this.set([]);
  }

  reverse() {
    if (this.points.length > 1) this.set([...this.points].reverse());
  }

  draw() {
    for (const marker of this.markers) marker.remove();
    this.markers = this.points.map((point, i) => this.marker(point, i));
  }

  marker(point, i) {
    const count = this.points.length;
    const element = document.createElement("div");
    element.className = `htp-pin ${i === 0 ? "origin" : i === count - 1 ? "destination" : "stop"}`;
    element.title = `${ROLE(i, count)}: drag to move`;
    element.innerHTML = `<span>${LETTER(i, count)}</span><button aria-label="Remove ${ROLE(i, count)}" title="Remove">×</button>`;
    element.querySelector("button").addEventListener("click", (event) => {
      event.stopPropagation();
      this.set(this.points.filter((_, k) => k !== i));
    });
    element.addEventListener("click", (event) => event.stopPropagation()); // a click on a pin is no new waypoint
    const marker = new Marker({ element, draggable: true }).setLngLat(point).addTo(this.map);
    marker.on("dragend", () => this.set(this.points.with(i, rounded(marker.getLngLat()))));
    return marker;
  }
}
