// The map style: the city's own roads as the basemap, drawn from memory; nothing here names another host.
import { rampColour } from "./theme.js";

const EMPTY = { type: "FeatureCollection", features: [] };
const ROUND = { "line-cap": "round", "line-join": "round" };
const ZOOMS = [10, 13, 16, 19];
const WIDTH = { minor: [0.45, 1, 5, 22], middle: [0.8, 1.9, 8, 28], major: [1.4, 3, 10.5, 34] }; // px at ZOOMS
const KINDS = Object.keys(WIDTH); // as numbered in app/map/basemap.py
const CASING = 1.6; // px, from the zoom at which roads become ribbons

const width = (kind, extra) => [
  "interpolate", ["exponential", 1.6], ["zoom"], ...ZOOMS.flatMap((zoom, i) => [zoom, WIDTH[kind][i] + extra]),
];
const ofKind = (kind) => ["==", ["get", "kind"], KINDS.indexOf(kind)];

/** Sea, water, parks and built-up land, under everything. */
function landscape(colours) {
  return ["built", "park", "sea", "water"].map((kind) => ({
    id: kind, type: "fill", source: "landscape", filter: ["==", ["get", "kind"], kind],
    paint: { "fill-color": colours[kind] },
  }));
}

/** Names of places: the greater, the sooner and the larger. */
function places(colours) {
  return [{
    id: "places", type: "symbol", source: "landscape", filter: ["==", ["get", "kind"], "place"],
    layout: {
      "text-field": ["get", "name"], "text-font": ["Source Sans Bold", "sans-serif"], "text-max-width": 8,
      "text-size": ["interpolate", ["linear"], ["get", "rank"], 0, 16, 4, 11], "symbol-sort-key": ["get", "rank"],
      "text-padding": 8,
    },
    paint: { "text-color": colours.place, "text-halo-color": colours.halo, "text-halo-width": 1.6,
      "text-opacity": ["step", ["zoom"], ["case", ["<=", ["get", "rank"], 1], 1, 0], 12, ["case", ["<=", ["get", "rank"], 2], 1, 0], 13.2, 1] },
  }];
}

/** Far away a road is a grey hair, close by a ribbon with a casing. */
function roads(colours) {
  const far = (kind) => ["interpolate", ["linear"], ["zoom"], 12.4, colours.far[KINDS.indexOf(kind)], 13.6, colours[kind]];
  const layer = (id, kind, minzoom, paint) => ({
    id, type: "line", source: "roads", minzoom, layout: ROUND, filter: ofKind(kind), paint,
  });
  return [
    ...KINDS.map((kind) =>
      layer(`${kind}-casing`, kind, 12.4, { "line-color": colours.casing, "line-width": width(kind, CASING) })),
    ...KINDS.map((kind) => layer(kind, kind, 0, { "line-color": far(kind), "line-width": width(kind, 0) })),
  ];
}

function names(colours) {
  const layer = (id, minzoom, filter, size) => ({
    id, type: "symbol", source: "roads", minzoom, filter,
    layout: {
      "symbol-placement": "line", "symbol-spacing": 320, "text-field": ["get", "name"], "text-font": ["Source Sans", "sans-serif"],
      "text-size": size, "text-max-angle": 30, "text-padding": 6,
    },
    paint: { "text-color": colours.label, "text-halo-color": colours.halo, "text-halo-width": 1.4 },
  });
  return [
    layer("names-minor", 15, ofKind("minor"), 10.5),
    layer("names-middle", 13, ofKind("middle"), 11),
    layer("names-major", 11, ofKind("major"), 11.5),
  ];
}

function route(colours) {
  const grow = (a, b) => ["interpolate", ["linear"], ["zoom"], 10, a, 16, b];
  return [
    { id: "route-casing", type: "line", source: "route", layout: ROUND,
      paint: { "line-color": colours.routeCasing, "line-width": grow(5, 12), "line-opacity": 0.9 } },
    { id: "route", type: "line", source: "route", layout: ROUND,
      paint: { "line-color": colours.route, "line-width": grow(2.5, 6), "line-opacity": colours.routeOpacity } },
    { id: "draft", type: "line", source: "draft", layout: ROUND,
      paint: { "line-color": colours.route, "line-width": 2, "line-dasharray": [1, 2.2], "line-opacity": 0.7 } },
  ];
}

function trips(colours, maxKmh) {
  const radius = ["interpolate", ["exponential", 1.4], ["zoom"], 10, 1.6, 13, 3, 16, 5.5, 19, 9];
  const rim = ["interpolate", ["linear"], ["zoom"], 12, 0, 14, 0.8, 17, 1.2];
  return [
    { id: "trips", type: "circle", source: "trips",
      paint: { "circle-radius": radius, "circle-color": rampColour(colours.ramp, "speed", maxKmh), "circle-opacity": 0.9,
        "circle-stroke-color": colours.pointRim, "circle-stroke-width": rim } },
    { id: "trip", type: "line", source: "trip", layout: ROUND,
      paint: { "line-color": colours.route, "line-width": 1.5, "line-opacity": 0.8 } },
  ];
}

/** Cells and roads with counts, coloured by their shade; the rim keeps a thin one in sight from far away. */
function areas({ ramp, rim }) {
  const colour = rampColour(ramp, "shade", 255);
  return [
    { id: "areas", type: "fill", source: "areas", paint: { "fill-color": colour, "fill-opacity": 0.82, "fill-antialias": false } },
    { id: "areas-rim", type: "line", source: "areas", paint: { "line-color": colour, "line-width": rim, "line-opacity": 0.6 } },
  ];
}

/** Lines in colours of their own, over all else: what a page says is in such a colour has to be seen. */
function marks(colours) {
  const grow = (a, b) => ["interpolate", ["linear"], ["zoom"], 10, a, 16, b];
  return [
    { id: "marks-casing", type: "line", source: "marks", layout: ROUND,
      paint: { "line-color": colours.routeCasing, "line-width": grow(4, 10) } },
    { id: "marks", type: "line", source: "marks", layout: ROUND, paint: { "line-color": ["get", "colour"], "line-width": grow(2.4, 6) } },
  ];
}

/** Return the whole style; sources start empty and are filled with `setData`. */
export function style(colours, maxKmh, shades) {
  const source = { type: "geojson", data: EMPTY };
  return {
    version: 8,
    sources: { landscape: { ...source, tolerance: 0.3 }, roads: { ...source, tolerance: 0.3 }, areas: source, route: source, draft: source, marks: source, trip: source, trips: source },
    layers: [
      { id: "land", type: "background", paint: { "background-color": colours.land } },
      ...landscape(colours), ...roads(colours), ...areas(shades), ...names(colours), ...places(colours), ...route(colours), ...trips(colours, maxKmh), ...marks(colours),
    ],
  };
}

/** Give a map whose style is loaded the colours of another theme or scale, without touching its data. */
export function recolour(map, colours, maxKmh, shades) {
  for (const layer of style(colours, maxKmh, shades).layers) {
    for (const [property, value] of Object.entries(layer.paint)) map.setPaintProperty(layer.id, property, value);
  }
}
