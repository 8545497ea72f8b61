// Turn the table of generated trips (app/map/trips.py) into GeoJSON, and answer what lies under the mouse.

const DEGREE = 1e-6; // unit of the coordinates
export const SPEED = 0.1; // km/h, unit of the speeds

export const place = ({ lon, lat }, i) => [lon[i] * DEGREE, lat[i] * DEGREE];

/** Return a FeatureCollection of points, each with its trip, its place in the trip and its speed in km/h. */
export function points({ columns }) {
  const { first, speed } = columns;
  const features = [];
  for (let trip = 0; trip + 1 < first.length; trip++) {
    for (let i = first[trip]; i < first[trip + 1]; i++) {
      features.push({
        type: "Feature",
        properties: { trip, step: i - first[trip], speed: Math.round(speed[i] * SPEED * 10) / 10 },
        geometry: { type: "Point", coordinates: place(columns, i) },
      });
    }
  }
  return { type: "FeatureCollection", features };
}

/** Return one trip as a line. */
export function line({ columns }, trip) {
  const coordinates = [];
  for (let i = columns.first[trip]; i < columns.first[trip + 1]; i++) coordinates.push(place(columns, i));
  return { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } };
}

/** Write seconds since midnight as a clock shows them. */
export function clock(seconds) {
  const parts = [3600, 60, 1].map((unit) => Math.floor(seconds / unit) % (unit === 3600 ? 24 : 60));
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** Say what a point is: its trip by name or number, time of day, speed. */
export function describe({ header, columns }, { trip, step, speed }) {
  const at = clock(columns.start_s[trip] + step * header.interval_s);
  return { title: header.names?.[trip] ?? `Trip ${trip + 1}`, text: `${at} · ${Math.round(speed)} km/h` };
}
