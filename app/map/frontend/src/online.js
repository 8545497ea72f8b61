// The optional online background: OpenStreetMap's raster tiles, asked for only after somebody presses the button.

const TILES = "https://tile.openstreetmap.org/{z}/{x}/{y}.png";
const CREDIT = '<a href="https://www.openstreetmap.org/copyright" target="_blank" rel="noopener">© OpenStreetMap contributors</a>';
const TIMEOUT_MS = 3000;

/** Return whether the tile server answers; the only request that this file makes by itself. */
async function reachable() {
  const image = new Image();
  image.src = TILES.replace(/{.}/g, "0");
  const late = new Promise((_, reject) => setTimeout(reject, TIMEOUT_MS));
  return Promise.race([image.decode(), late]).then(() => true, () => false);
}

/** Lay the tiles under the roads; returns false where they cannot be had. */
export async function show(map) {
  if (!(await reachable())) return false;
  map.addSource("online", { type: "raster", tiles: [TILES], tileSize: 256, maxzoom: 19, attribution: CREDIT });
  map.addLayer({ id: "online", type: "raster", source: "online", paint: { "raster-saturation": -0.7 } }, "minor-casing");
  return true;
}

/** Take the tiles away again. */
export function hide(map) {
  map.removeLayer("online");
  map.removeSource("online");
}
