"""Turn a table of trips into the table that the map draws as points coloured by speed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from htp_app.map.table import PackedTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

DEGREE = 1e-6  # unit of the coordinates and
KMH = 0.1  # of the speeds, as in frontend/src/trips.js
MOST = 0.98  # of the points are no faster than the end of the speed scale


def trip_points(
    trips: gpd.GeoDataFrame, speed_kmh: NDArray[np.float64], names: Sequence[str] | None = None
) -> PackedTable:
    """Return the table of the trips' points; `speed_kmh` has a value a point, trip after trip.

    `names` say what each row is called on the map; where not given, trips are counted from 1.
    """
    lines = trips.geometry.to_numpy()
    whole = np.rint(shapely.get_coordinates(lines) / DEGREE).astype(np.int32)
    start = pd.DatetimeIndex(trips["start_time"])
    columns = {
        "first": np.r_[0, np.cumsum(shapely.get_num_coordinates(lines))].astype(np.int32),
        "start_s": (start.hour * 3600 + start.minute * 60 + start.second).to_numpy(dtype=np.int32),
        "lon": np.ascontiguousarray(whole[:, 0]),
        "lat": np.ascontiguousarray(whole[:, 1]),
        "speed": np.clip(speed_kmh / KMH, 0, 65535).round().astype(np.uint16),
    }
    header = {} if names is None else {"names": list(names)}
    return PackedTable.pack(columns, interval_s=float(trips["interval"].iloc[0]), **header)


def top_kmh(speed_kmh: NDArray[np.float64]) -> int:
    """Return the end of the speed scale of a map: most speeds are below, and its quarters are whole numbers."""
    return max(20, int(np.ceil(np.quantile(speed_kmh, MOST) / 20)) * 20)
