"""Turn a city's roads into the table that the map draws as its basemap, 150 kB for 22,000 roads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from htp.city.streets import street_lines
from htp_app.map.table import PackedTable

if TYPE_CHECKING:
    from htp.city import City

DEGREE = 1e-6  # unit of the coordinates, as in frontend/src/roads.js


def basemap(city: City) -> PackedTable:
    """Return the table of the city's streets: first vertex, kind, name and coordinates as steps of `DEGREE`."""
    streets = street_lines(city.roads)
    names, name = np.unique(streets["name"].to_numpy(dtype=str), return_inverse=True)
    lines = streets["geometry"].to_numpy()
    whole = np.rint(shapely.get_coordinates(lines) / DEGREE).astype(np.int32)
    steps = np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int32))
    columns = {
        "first": np.r_[0, np.cumsum(shapely.get_num_coordinates(lines))].astype(np.int32),
        "kind": streets["kind"].to_numpy(dtype=np.uint8),
        "name": name.astype(np.int32),
        "lon": np.ascontiguousarray(steps[:, 0]),
        "lat": np.ascontiguousarray(steps[:, 1]),
    }
    return PackedTable.pack(columns, names=names.tolist())
