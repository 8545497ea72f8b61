// One map of a city: the roads from memory, the route being picked, the trips that were generated, areas and their counts.
import { AttributionControl, Map as MapLibre, NavigationControl, Popup, ScaleControl, setWorkerUrl } from "maplibre-gl";
import maplibreCss from "maplibre-gl/dist/maplibre-gl.css";
import css from "./map.css";
import * as areas from "./areas.js";
import { Bar } from "./bar.js";
import { table } from "./bytes.js";
import { Cars } from "./cars.js";
import { Buttons, Overlay } from "./controls.js";
import { crosshair } from "./keyboard.js";
import * as online from "./online.js";
import { join } from "./peers.js";
import { playerOf } from "./player.js";
import { landscape, streets } from "./roads.js";
import { recolour, style } from "./style.js";
import { palette } from "./theme.js";
import * as trips from "./trips.js";
import { rounded, Waypoints } from "./waypoints.js";

setWorkerUrl(new URL("htp-map-worker.js", import.meta.url).href);

const AROUND_ROUTE = { top: 70, bottom: 150, left: 70, right: 70 }; // px: clear of the buttons and the legend
const AROUND_CITY = 40; // px
const NARROW = 560; // px: a map beside others
const AROUND_NARROW = { top: 34, bottom: 44, left: 28, right: 28 };
const MOST_COVERED = 0.45; // of the height, that a route keeps clear of what lies over the map
const AROUND_DEG = 0.5; // of the city's bounds
const REACH = 14; // px: how near a click has to be
const ROOM = 0.8; // of the room around a route: a route that leaves less is moved
const SMALL = 0.4; // of the map: a route that takes less of it is worth a closer look
const EMPTY = { type: "FeatureCollection", features: [] };
const views = {}; // key of the component -> camera, so that coming back to a page finds the map as it was left

const lineOf = (coordinates) => ({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } });

/** Return a tip's words; names come from OpenStreetMap and from people's files, so they are no HTML. */
function words(title, text) {
  const span = document.createElement("span");
  span.append(Object.assign(document.createElement("b"), { textContent: title }), ` ${text}`);
  return span;
}

export class CityMap {
  constructor(root, key) {
    this.key = key;
    this.host = document.createElement("div");
    this.host.className = "htp-map";
    const sheet = document.createElement("style");
    sheet.textContent = maplibreCss + css;
    root.append(sheet, this.host);
  }

  /** Draw the data of this call; `changed` takes the waypoints that the person picks, `placed` a place that is clicked. */
  update(data, changed, placed) {
    this.data = data;
    this.changed = changed;
    this.placed = placed;
    this.host.style.height = data.height;
    if (!this.map) this.open();
    this.overlay.say(data.hint);
    if (this.loaded) this.draw();
  }

  open() {
    this.colours = palette(this.host);
    this.host.toggleAttribute("data-dark", this.colours.dark);
    this.maxKmh = this.data.max_kmh;
    this.shades = this.data.shades;
    const camera = views[this.key] ?? { bounds: this.bounds(), fitBoundsOptions: this.framing() };
    this.fitted = this.data.fit;
    this.map = new MapLibre({
      container: this.host, style: style(this.colours, this.maxKmh, this.shades), ...camera, attributionControl: false,
      dragRotate: false, pitchWithRotate: false, touchPitch: false, fadeDuration: 0, maxZoom: 19,
    });
    this.map.touchZoomRotate.disableRotation();
    crosshair(this.map);
    this.overlay = new Overlay(this.host);
    this.addControls();
    this.leave = join(this.data.group, this.map);
    this.map.on("moveend", () => { views[this.key] = { center: this.map.getCenter(), zoom: this.map.getZoom() }; });
    this.map.once("style.load", () => { this.loaded = true; this.draw(); });
    this.map.once("idle", () => this.fetchLater());
    this.explainTrips();
    this.explainAreas();
    if (this.data.place) this.reportPlaces();
    if (this.data.play) this.addPlayer();
  }

  /** Fetch what the page will want sooner or later, such as Streamlit's charts, once there is nothing else to do. */
  fetchLater() {
    for (const path of this.data.later) {
      const href = new URL(path, document.baseURI).href;
      if (document.querySelector(`link[href="${href}"]`)) continue;
      requestIdleCallback(() => document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href })));
    }
  }

  /** Let trips be played: with the other maps of the group, and by a bar on this map where it has none. */
  addPlayer() {
    this.player = playerOf(this.data.group || this.key);
    this.cars = new Cars(this.map, this.host);
    this.cars.colour(this.colours.ramp, this.maxKmh);
    this.player.screens.add(this.cars);
    if (!this.data.group) this.bar = new Bar(this.host, this.player);
  }

  /** Say where the person clicks, and how far around it that is meant. */
  reportPlaces() {
    const { map } = this;
    let click = Date.now(); // every click is another one, though it be at the same place
    map.getCanvas().style.cursor = "crosshair";
    map.on("click", ({ lngLat, point }) => {
      const reach = lngLat.distanceTo(map.unproject([point.x + REACH, point.y]));
      this.placed({ point: rounded(lngLat), reach_m: reach, click: ++click });
    });
  }

  /** Let the person pick a route. */
  addWaypoints() {
    const { map } = this;
    map.getCanvas().style.cursor = "crosshair";
    this.waypoints = new Waypoints(map, (change) => this.picked(change));
    this.buttons = new Buttons([
      ["undo", "Undo the last point", () => this.waypoints.undo()],
      ["reverse", "Reverse the route", () => this.waypoints.reverse()],
      ["clear", "Clear the route", () => this.waypoints.clear()],
    ]);
    map.addControl(this.buttons, "top-left");
    map.getContainer().addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "z") this.waypoints.undo();
    });
  }

  addControls() {
    const { map } = this;
    if (this.data.pick) this.addWaypoints();
    this.view = new Buttons([
      ["fit", "Show the whole route, or the whole city", () => this.fit()],
      ["online", "Online background map", () => this.toggleOnline()],
    ]);
    map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    map.addControl(this.view, "top-right");
    map.addControl(new AttributionControl({ compact: false, customAttribution: this.data.credit }), "bottom-right");
    map.addControl(new ScaleControl({ unit: "metric", maxWidth: 110 }), "bottom-right");
    this.view.press("online", false);
  }

  /** After the person changed the waypoints: show them at once, dashed, until Python has sent the route. */
  picked(change) {
    this.map.getSource("route").setData(EMPTY);
    this.map.getSource("draft").setData(change.points.length > 1 ? lineOf(change.points) : EMPTY);
    this.enableButtons();
    this.changed(change);
  }

  enableButtons() {
    const count = this.waypoints.points.length;
    this.buttons.enable("undo", count > 0);
    this.buttons.enable("clear", count > 0);
    this.buttons.enable("reverse", count > 1);
  }

  draw() {
    const { data, map } = this;
    this.recolour();
    if (data.pick && this.waypoints.receive(data.waypoints, data.revision)) {
      map.getSource("route").setData(data.route.length ? lineOf(data.route) : EMPTY);
      map.getSource("draft").setData(EMPTY);
      this.host.dataset.route = data.route.length; // vertices, for tests
    }
    if (data.pick) this.enableButtons();
    map.setMaxBounds(this.edges());
    this.fill("landscape", data.basemap, landscape);
    this.fill("roads", data.basemap, streets);
    this.fill("areas", data.areas, areas.polygons);
    this.fill("trips", data.trips, trips.points);
    this.mark(data.marks);
    this.overlay.legend(this.colours.ramp, this.maxKmh, Boolean(data.trips) && data.legend, data.badge);
    if (data.fit !== this.fitted) this.fit();
    this.fitted = data.fit;
  }

  /** Draw lines in colours of their own; unlike a table they travel with every picture, so they are few. */
  mark(marks) {
    const known = JSON.stringify(marks);
    if (known === this.marks) return;
    this.marks = known;
    const features = marks.map(({ colour, line }) => ({ ...lineOf(line), properties: { colour } }));
    this.map.getSource("marks").setData({ type: "FeatureCollection", features });
    this.host.dataset.marks = marks.length; // for tests
  }

  recolour() {
    const colours = palette(this.host);
    const { max_kmh: maxKmh, shades } = this.data;
    const known = JSON.stringify(shades) === JSON.stringify(this.shades);
    if (colours === this.colours && maxKmh === this.maxKmh && known) return;
    Object.assign(this, { colours, maxKmh, shades });
    this.host.toggleAttribute("data-dark", colours.dark);
    recolour(this.map, colours, maxKmh, shades);
    this.cars?.colour(colours.ramp, maxKmh);
    this.cars?.fade();
  }

  /** Put the table `key` into a source, once; null empties it. */
  async fill(source, key, toGeoJson) {
    this.keys ??= {};
    if (this.keys[source] === key) return;
    this.keys[source] = key;
    const found = key ? await table(key) : null;
    if (this.keys[source] !== key || !this.map) return; // another table came while this one was on its way
    this[`${source}Table`] = found;
    const drawn = found ? toGeoJson(found) : EMPTY;
    this.map.getSource(source).setData(drawn);
    this.map.getSource("trip").setData(EMPTY);
    const lines = found ? found.header.columns[0][2] - 1 : 0;
    this.host.dataset[source] = source === "landscape" ? drawn.features.length : lines; // or trips; for tests
    if (source === "trips" && this.cars) this.reload(found);
    if (source === "trips" && found && this.data.route.length) this.approachSoon();
  }

  /** Take other trips to play, from the start. */
  reload(found) {
    this.cars.load(found);
    this.player.reset();
  }

  /** With the first trips a panel of results opens beside the map, sooner or later: look at once and at its new size. */
  approachSoon() {
    const look = () => this.map && this.approach();
    setTimeout(look, 200);
    this.map.once("resize", look);
  }

  /** Move to a route whose trips have just arrived if it is out of sight or too small to see them. */
  approach() {
    const { map } = this;
    const [[west, south], [east, north]] = this.bounds();
    const { x: left, y: bottom } = map.project([west, south]);
    const { x: right, y: top } = map.project([east, north]);
    const { clientWidth: width, clientHeight: height } = map.getContainer();
    const { padding } = this.framing(); // the route's ends have pins, the map's edges buttons
    const hidden = left < ROOM * padding.left || right > width - ROOM * padding.right
      || top < ROOM * padding.top || bottom > height - ROOM * padding.bottom;
    if (hidden || Math.max((right - left) / width, (bottom - top) / height) < SMALL) this.fit();
  }

  /** Under the mouse: which trip, when and how fast, and the trip's line. */
  explainTrips() {
    const { map } = this;
    const popup = new Popup({ closeButton: false, closeOnClick: false, offset: 10, className: "htp-tip" });
    map.on("mousemove", "trips", ({ features: [feature] }) => {
      const { title, text } = trips.describe(this.tripsTable, feature.properties);
      popup.setLngLat(feature.geometry.coordinates).setDOMContent(words(title, text)).addTo(map);
      map.getSource("trip").setData(trips.line(this.tripsTable, feature.properties.trip));
    });
    map.on("mouseleave", "trips", () => {
      popup.remove();
      map.getSource("trip").setData(EMPTY);
    });
  }

  /** Under the mouse: which area, what was counted there, and its outline. */
  explainAreas() {
    const { map } = this;
    const popup = new Popup({ closeButton: false, closeOnClick: false, offset: 10, className: "htp-tip" });
    const explain = ({ features: [feature], lngLat }) => {
      const { title, text } = areas.describe(this.areasTable, feature.properties);
      popup.setLngLat(lngLat).setDOMContent(words(title, text)).addTo(map);
      map.getSource("trip").setData(areas.outline(this.areasTable, feature.properties.area));
    };
    map.on("mousemove", "areas", explain);
    map.on("click", "areas", explain);
    map.on("mouseleave", "areas", () => {
      popup.remove();
      map.getSource("trip").setData(EMPTY);
    });
  }

  /** The box of the route, or of the city where there is none. */
  bounds() {
    const line = this.data.route.length ? this.data.route : this.data.bounds;
    const [lon, lat] = [0, 1].map((axis) => line.map((point) => point[axis]));
    return [[Math.min(...lon), Math.min(...lat)], [Math.max(...lon), Math.max(...lat)]];
  }

  /** How far one can go: nothing is drawn beyond (AROUND_DEG in htp/city/landscape.py). */
  edges() {
    const [[west, south], [east, north]] = this.data.bounds;
    return [[west - AROUND_DEG, south - AROUND_DEG], [east + AROUND_DEG, north + AROUND_DEG]];
  }

  framing() {
    const wide = this.data.route.length ? AROUND_ROUTE : AROUND_CITY;
    const around = this.host.clientWidth < NARROW ? AROUND_NARROW : wide;
    const above = Math.min(this.covered(), this.host.clientHeight * MOST_COVERED);
    const padding = this.data.route.length && above > around.top ? { ...around, top: above } : around;
    return { padding, maxZoom: 16 };
  }

  /** How much of the top the page has put something over, px: what app.css says of it. */
  covered() {
    return parseFloat(getComputedStyle(this.host).getPropertyValue("--htp-covered")) || 0;
  }

  fit() {
    this.map.fitBounds(this.bounds(), { ...this.framing(), duration: 500 });
  }

  async toggleOnline() {
    const shown = Boolean(this.map.getLayer("online"));
    if (shown) online.hide(this.map);
    const failed = !shown && !(await online.show(this.map));
    this.view.press("online", !shown && !failed);
    if (failed) this.overlay.say({ text: "The online background map cannot be reached from here.", kind: "error" });
  }

  remove() {
    this.leave?.();
    this.player?.screens.delete(this.cars);
    this.player?.reset();
    this.bar?.remove();
    this.map?.remove();
    this.map = null;
  }
}
