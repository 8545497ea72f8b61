"""Make tables of trips from places in metres of the toy cities' frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable

START = pd.Timestamp("2024-05-06 08:15", tz="America/Santiago")


@pytest.fixture(scope="session")
def trips_at(place) -> Callable[..., gpd.GeoDataFrame]:
    """Return a maker of tables of trips: lists of (x, y) in metres, further columns by name."""

    def make(*lines: list[tuple[float, float]], **columns: list) -> gpd.GeoDataFrame:
        table = {
            "trip_id": [f"t{i}" for i in range(len(lines))],
            "start_time": pd.DatetimeIndex([START] * len(lines)),
            "interval": np.full(len(lines), 15, dtype=np.float32),
            **columns,
        }
        geometry = [shapely.LineString([place(*xy) for xy in line]) for line in lines]
        return gpd.GeoDataFrame(table, geometry=geometry, crs="EPSG:4326")

    return make
