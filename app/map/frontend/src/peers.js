// Move maps of one group together, so that places can be compared side by side.

const groups = new Map(); // name -> maps
let leading = false; // one map moves the others, which then lead nobody

/** Let a map follow the others of its group and lead them; returns how to leave. */
export function join(name, map) {
  if (!name) return () => {};
  if (!groups.has(name)) groups.set(name, new Set());
  const group = groups.get(name);
  group.add(map);
  map.on("move", () => {
    if (leading) return;
    leading = true;
    const camera = { center: map.getCenter(), zoom: map.getZoom() };
    for (const other of group) if (other !== map) other.jumpTo(camera);
    leading = false;
  });
  return () => group.delete(map);
}
