"""Turn a city's roads and landscape into the table that the map draws as its basemap, 180 kB for 22,000 roads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from htp.city.landscape import KINDS, PLACE
from htp.city.streets import street_lines
from htp_app.map.table import PackedTable

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city import City

DEGREE = 1e-6  # unit of the coordinates, as in frontend/src/roads.js


def basemap(city: City) -> PackedTable:
    """Return the table of streets and areas, coordinates as steps of `DEGREE`; the names of places are in its header.

    `first` (vertex of each street), `kind`, `name` (number in the header), `lon` and `lat` are the streets'. The areas'
    are `area_first` (vertex of each ring), `area_of` (which area a ring belongs to: its outline, then its holes),
    `area_kind` (number in `KINDS`), `area_lon` and `area_lat`.
    """
    streets = street_lines(city.roads)
    names, name = np.unique(streets["name"].to_numpy(dtype=str), return_inverse=True)
    first, lon, lat = _packed(streets["geometry"].to_numpy())
    columns = {
        "first": first,
        "kind": streets["kind"].to_numpy(dtype=np.uint8),
        "name": name.astype(np.int32),
        "lon": lon,
        "lat": lat,
    }
    areas, places = _beside_roads(city.landscape)
    return PackedTable.pack(columns | areas, names=names.tolist(), places=places)


def _beside_roads(landscape: gpd.GeoDataFrame | None) -> tuple[dict[str, NDArray[Any]], list[tuple[Any, ...]]]:
    """Return the columns of the areas, and name, rank, longitude and latitude of each place."""
    if landscape is None:
        return {}, []
    is_place = (landscape["kind"] == PLACE).to_numpy()
    areas, places = landscape[~is_place], landscape[is_place]
    rings, area = shapely.get_rings(areas.geometry.to_numpy(), return_index=True)
    first, lon, lat = _packed(rings)
    kinds = areas["kind"].map(KINDS.index).to_numpy(dtype=np.uint8)
    at = np.round(shapely.get_coordinates(places.geometry.to_numpy()), 6)
    names = list(zip(places["name"], places["rank"].tolist(), *at.T.tolist(), strict=True))
    packed = {"first": first, "of": area.astype(np.int32), "kind": kinds, "lon": lon, "lat": lat}
    return {f"area_{key}": values for key, values in packed.items()}, names


def _packed(lines: NDArray[np.object_]) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return where each line begins, [L + 1], and the steps from vertex to vertex of all, [K] each."""
    whole = np.rint(shapely.get_coordinates(lines) / DEGREE).astype(np.int32)
    steps = np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int32))
    first = np.r_[0, np.cumsum(shapely.get_num_coordinates(lines))].astype(np.int32)
    return first, np.ascontiguousarray(steps[:, 0]), np.ascontiguousarray(steps[:, 1])
