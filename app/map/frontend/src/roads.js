// Turn the compact basemap table (app/map/basemap.py) into GeoJSON: streets, areas beside them, names of places.

const DEGREE = 1e-6; // unit of the coordinates; from the second vertex on they are steps
const AREAS = ["sea", "water", "park", "built"]; // as numbered in htp/city/landscape.py

/** Return all vertices, [longitude, latitude] each. */
function vertices(lon, lat) {
  let x = 0;
  let y = 0;
  return Array.from(lon, (step, i) => {
    x += step;
    y += lat[i];
    return [x * DEGREE, y * DEGREE];
  });
}

/** Return a FeatureCollection of the city's streets, each with its kind (0 minor, 1 middle, 2 major) and name. */
export function streets({ header, columns }) {
  const { first, kind, name, lon, lat } = columns;
  const coordinates = vertices(lon, lat);
  const features = Array.from(kind, (value, i) => ({
    type: "Feature",
    properties: { kind: value, name: header.names[name[i]] },
    geometry: { type: "LineString", coordinates: coordinates.slice(first[i], first[i + 1]) },
  }));
  return { type: "FeatureCollection", features };
}

/** Return a FeatureCollection of areas, each with its kind, and of places, each with its name and rank. */
export function landscape({ header, columns }) {
  const places = header.places.map(([name, rank, ...coordinates]) => (
    { type: "Feature", properties: { kind: "place", name, rank }, geometry: { type: "Point", coordinates } }
  ));
  if (!columns.area_kind) return { type: "FeatureCollection", features: places };
  const { area_first: first, area_of: of, area_kind: kind, area_lon: lon, area_lat: lat } = columns;
  const coordinates = vertices(lon, lat);
  const rings = Array.from(kind, () => []);
  of.forEach((area, ring) => rings[area].push(coordinates.slice(first[ring], first[ring + 1])));
  const areas = Array.from(kind, (value, area) => ({
    type: "Feature", properties: { kind: AREAS[value] }, geometry: { type: "Polygon", coordinates: rings[area] },
  }));
  return { type: "FeatureCollection", features: [...areas, ...places] };
}
