// Mount the map once per host element and hand every later call of the component to it.
//
// Calls that come while this file is on its way arrive in any order, and Streamlit cleans up after all but the newest of
// them once they have run. So an older picture is not drawn over a newer one, and a map goes only when its place has.
import { Bar } from "./bar.js";
import { CityMap } from "./city_map.js";
import css from "./map.css";
import { playerOf } from "./player.js";

const bars = new WeakMap(); // shadow root -> Bar
const maps = new WeakMap(); // shadow root -> CityMap

/** Draw `component.data` (see app/map/__init__.py for its fields); returns the clean-up function. */
export function mount(component) {
  const { data, parentElement: root } = component;
  let map = maps.get(root);
  if (!map) {
    map = new CityMap(root, component.key);
    maps.set(root, map);
  }
  if (!map.data || data.number >= map.data.number) {
    const told = (name) => (value) => component.setTriggerValue(name, value);
    map.update(data, told("waypoints"), told("place"));
  }
  return () => setTimeout(() => {
    if (root.isConnected) return;
    map.remove();
    maps.delete(root);
  });
}

/** Mount the bar that plays all maps of a group; returns the clean-up function. */
export function mountBar({ data, parentElement: root }) {
  if (!bars.has(root)) {
    root.append(Object.assign(document.createElement("style"), { textContent: css }));
    bars.set(root, new Bar(root, playerOf(data.group)));
  }
  return () => setTimeout(() => {
    if (root.isConnected) return;
    bars.get(root)?.remove();
    bars.delete(root);
  });
}
