// Draw streets and trips on a Leaflet map from the numbers that htp/webmap/webmap.py packs.
function drawTrips(map, data) {
  const FAR = ["#c3cad4", "#aeb8c4", "#8e9aa9"]; // minor, middle, major streets
  const WIDTH = [0.8, 1.5, 2.6]; // px up to zoom 13
  const places = (steps, unit) => {
    const found = [];
    let lat = 0, lon = 0;
    for (let i = 0; i < steps.length; i += 2) found.push([(lat += steps[i]) * unit, (lon += steps[i + 1]) * unit]);
    return found;
  };
  const words = (text) => {
    const element = document.createElement("span");
    element.textContent = text; // names come from OpenStreetMap and from people's files, so they are no HTML
    return element;
  };
  const clock = (seconds) =>
    [3600, 60, 1].map((unit) => String(Math.floor(seconds / unit) % (unit === 3600 ? 24 : 60)).padStart(2, "0")).join(":");
  const wide = (kind) => WIDTH[kind] * 2 ** Math.max(0, (map.getZoom() - 13) * 0.6);

  map.setMaxZoom(19);
  L.control.scale({ imperial: false }).addTo(map);
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>').addAttribution(data.credit);
  const streets = data.streets.map(([kind, name, steps]) => {
    const line = L.polyline(places(steps, data.street_unit), { color: FAR[kind], weight: wide(kind), kind });
    if (data.names[name]) line.bindTooltip(words(data.names[name]), { sticky: true });
    return line.addTo(map);
  });
  map.on("zoomend", () => streets.forEach((line) => line.setStyle({ weight: wide(line.options.kind) })));

  const chosen = L.polyline([], { color: "#1f2a37", weight: 2.5, interactive: false }).addTo(map);
  const points = data.trips.flatMap((trip) => {
    const line = places(trip.steps, data.point_unit);
    return line.map((at, i) => {
      const fill = data.colours[Math.min(trip.kmh[i], data.colours.length - 1)];
      const text = `${trip.name}, ${clock(trip.start_s + i * trip.interval_s)}, ${trip.kmh[i]} km/h`;
      return L.circleMarker(at, { radius: 4, weight: 0.8, color: "#fff", fillColor: fill, fillOpacity: 0.9, text, line });
    });
  });
  L.featureGroup(points)
    .bindTooltip((point) => words(point.options.text))
    .on("click", (event) => {
      L.DomEvent.stopPropagation(event);
      chosen.setLatLngs(event.layer.options.line);
    })
    .addTo(map);
  map.on("click", () => chosen.setLatLngs([]));

  const panel = L.control({ position: "topright" });
  panel.onAdd = () => {
    const element = L.DomUtil.create("div", "panel");
    element.innerHTML = data.panel; // escaped where it was written
    L.DomEvent.disableClickPropagation(element);
    return element;
  };
  panel.addTo(map);
  map.getContainer().dataset.points = points.length; // that all of it was drawn
}
