// Draw where the cars are at a time since departure, each with the way of its last minute, on a canvas over the map.
//
// A canvas of its own leaves the map as it is: only the cars are drawn anew for each picture.
import { stopwatch } from "./player.js";
import { clock, place, SPEED } from "./trips.js";

const TRAIL_S = 60;
const RADIUS = 4.5; // px
const HEADWAY_S = 15; // between cars that depart at the same time, or they would be one
const ALL_LEFT_S = 300; // however many they are
const FADED = 0.13; // opacity of all points while cars are shown

const earliest = (starts) => starts.reduce((one, other) => Math.min(one, other), Infinity);

/** Return when each trip is shown to leave, in seconds after the first: apart, where it departs with others. */
function departures({ start_s: starts }) {
  const first = earliest(starts);
  const together = new Map(); // departure -> how many have left by then
  const headway = Math.min(HEADWAY_S, ALL_LEFT_S / starts.length);
  return Array.from(starts, (start) => {
    const before = together.get(start) ?? 0;
    together.set(start, before + 1);
    return start - first + before * headway;
  });
}

export class Cars {
  constructor(map, host) {
    this.map = map;
    this.host = host;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "htp-cars";
    map.getCanvas().after(this.canvas); // below the pins
    this.clock = Object.assign(document.createElement("div"), { className: "htp-clock", hidden: true });
    host.append(this.clock);
    this.at = null;
    this.seconds = 0;
    map.on("move", () => this.draw());
    map.on("resize", () => this.draw());
  }

  /** Take another table of trips, or null. */
  load(table) {
    this.table = table;
    this.leaves = table ? departures(table.columns) : [];
    this.seconds = 0; // from the first departure to the last arrival
    this.leaves.forEach((leave, trip) => {
      const { header, columns: { first } } = table;
      this.seconds = Math.max(this.seconds, leave + (first[trip + 1] - first[trip] - 1) * header.interval_s);
    });
    this.start = table ? earliest(table.columns.start_s) : 0; // seconds since midnight
    this.draw();
  }

  /** Show the cars at this time since departure; null: all points, no cars. */
  show(at) {
    if ((at === null) !== (this.at === null)) this.fade(at !== null);
    this.at = at;
    this.draw();
  }

  /** Make all points pale; to be asked for again when the map got other colours. */
  fade(faded = this.at !== null) {
    this.map.setPaintProperty("trips", "circle-opacity", faded ? FADED : 0.9);
    this.map.setPaintProperty("trips", "circle-stroke-opacity", faded ? FADED : 1);
  }

  colour(ramp, maxKmh) {
    this.ramp = ramp;
    this.maxKmh = maxKmh;
    this.draw();
  }

  draw() {
    const { canvas, table, at } = this;
    const shown = Boolean(table) && at !== null;
    canvas.hidden = this.clock.hidden = !shown;
    if (!shown) return;
    const { clientWidth: width, clientHeight: height } = this.host;
    const scale = globalThis.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
      Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.lineCap = pen.lineJoin = "round";
    const trips = table.columns.first.length - 1;
    let there = 0;
    for (let trip = 0; trip < trips; trip++) there += this.drawCar(pen, trip) ? 1 : 0;
    this.clock.textContent = `${clock(this.start + at)} · ${there} of ${trips} arrived`;
    this.clock.title = `${stopwatch(at)} since the first departure; cars that depart together are shown one after another`;
    this.host.dataset.at = Math.round(at); // for tests
  }

  /** Draw a car and its trail, once it has left; returns whether it has arrived. */
  drawCar(pen, trip) {
    if (this.at < this.leaves[trip]) return false;
    const { header, columns } = this.table;
    const from = columns.first[trip];
    const last = columns.first[trip + 1] - 1;
    const now = (this.at - this.leaves[trip]) / header.interval_s;
    const arrived = from + now >= last;
    const point = Math.min(from + Math.floor(now), last);
    const begin = Math.max(from, Math.ceil(from + now - TRAIL_S / header.interval_s));
    const here = this.project(this.between(from + now, last));
    const shade = this.shade(columns.speed[Math.min(point + 1, last)] * SPEED);
    pen.globalAlpha = arrived ? 0.35 : 0.55;
    pen.strokeStyle = shade;
    pen.lineWidth = 3;
    pen.beginPath();
    for (let i = begin; i <= point; i++) pen.lineTo(...this.project(place(columns, i)));
    pen.lineTo(...here);
    pen.stroke();
    pen.globalAlpha = 1;
    pen.fillStyle = shade;
    pen.strokeStyle = this.host.hasAttribute("data-dark") ? "#10141a" : "#ffffff";
    pen.lineWidth = 1.3;
    pen.beginPath();
    pen.arc(...here, arrived ? RADIUS * 0.7 : RADIUS, 0, 2 * Math.PI);
    pen.fill();
    pen.stroke();
    return arrived;
  }

  /** The place at a fraction between two points. */
  between(index, last) {
    const i = Math.min(Math.floor(index), last);
    const [one, other] = [i, Math.min(i + 1, last)].map((k) => place(this.table.columns, k));
    const share = Math.min(index - i, 1);
    return [0, 1].map((axis) => one[axis] + (other[axis] - one[axis]) * share);
  }

  project(lonLat) {
    const { x, y } = this.map.project(lonLat);
    return [x, y];
  }

  /** The colour of a speed: the ramp's, as the points have it. */
  shade(kmh) {
    const along = Math.min(kmh / this.maxKmh, 1) * (this.ramp.length - 1);
    const i = Math.min(Math.floor(along), this.ramp.length - 2);
    const [one, other] = [this.ramp[i], this.ramp[i + 1]].map((hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16)));
    return `rgb(${one.map((part, k) => Math.round(part + (other[k] - part) * (along - i))).join(",")})`;
  }

  remove() {
    this.canvas.remove();
    this.clock.remove();
  }
}
