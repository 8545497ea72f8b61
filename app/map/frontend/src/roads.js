// Turn the compact basemap table (app/map/basemap.py) into GeoJSON lines.

const DEGREE = 1e-6; // unit of the coordinates; from the second vertex of the city on they are steps

/** Return a FeatureCollection of the city's streets, each with its kind (0 minor, 1 middle, 2 major) and name. */
export function streets({ header, columns }) {
  const { first, kind, name, lon, lat } = columns;
  let x = 0;
  let y = 0;
  const coordinates = Array.from(lon, (step, i) => {
    x += step;
    y += lat[i];
    return [x * DEGREE, y * DEGREE];
  });
  const features = Array.from(kind, (value, i) => ({
    type: "Feature",
    properties: { kind: value, name: header.names[name[i]] },
    geometry: { type: "LineString", coordinates: coordinates.slice(first[i], first[i + 1]) },
  }));
  return { type: "FeatureCollection", features };
}
