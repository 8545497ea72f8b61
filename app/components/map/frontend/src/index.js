// Mount the map once per host element and hand every later call of the component to it.
import { CityMap } from "./city_map.js";

const maps = new WeakMap(); // shadow root -> CityMap

/** Draw `component.data` (see app/components/map/__init__.py for its fields); returns the clean-up function. */
export function mount(component) {
  const root = component.parentElement;
  let map = maps.get(root);
  if (!map) {
    map = new CityMap(root, component.key);
    maps.set(root, map);
  }
  map.update(component.data, (points) => component.setTriggerValue("waypoints", points));
  return () => {
    map.remove();
    maps.delete(root);
  };
}
