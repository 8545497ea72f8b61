// Turn the table of areas (app/map/areas.py) into GeoJSON polygons, and say what lies under the mouse.

const DEGREE = 1e-6; // unit of the coordinates

/** Return a FeatureCollection of polygons, each with its number and its shade, 0 to 255. */
export function polygons({ columns }) {
  const { first, shade, lon, lat } = columns;
  const ring = (from, to) => Array.from({ length: to - from }, (_, i) => [lon[from + i] * DEGREE, lat[from + i] * DEGREE]);
  const features = Array.from(shade, (value, area) => ({
    type: "Feature",
    properties: { area, shade: value },
    geometry: { type: "Polygon", coordinates: [ring(first[area], first[area + 1])] },
  }));
  return { type: "FeatureCollection", features };
}

/** Return one area's outline. */
export function outline({ columns }, area) {
  const { first, lon, lat } = columns;
  const coordinates = [];
  for (let i = first[area]; i < first[area + 1]; i++) coordinates.push([lon[i] * DEGREE, lat[i] * DEGREE]);
  return { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } };
}

/** Say what an area is: its name and its two counts. */
export function describe({ header, columns }, { area }) {
  const counts = [columns.real[area], columns.generated[area]].map((count, i) => `${header.sides[i]} ${count.toLocaleString("en")}`);
  return { title: header.names[columns.name[area]], text: `${counts.join(" · ")} ${header.unit ?? "points"}` };
}
