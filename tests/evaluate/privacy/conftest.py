"""Make sets of trips along parallel lines, whose distances from each other are known."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from htp.evaluate.privacy.attacks import AuditedTrips
from htp.evaluate.privacy.traces import Traces, read_traces

START = pd.Timestamp("2024-05-06 08:15", tz="America/Santiago")


@pytest.fixture(scope="session")
def northward(place):
    """Return a maker of a table of trips that drive 310 m north, each so many metres east of the origin."""

    def make(east_m, name, roads=None):
        lines = [shapely.LineString([place(x, y) for y in (0, 155, 310)]) for x in east_m]
        table = {
            "trip_id": [f"{name}{number}" for number in range(len(lines))],
            "start_time": pd.DatetimeIndex([START] * len(lines)),
            "interval": np.full(len(lines), 15, dtype=np.float32),
        }
        if roads is not None:
            table["roads"] = [np.array(route, dtype=np.int32) for route in roads]
        return gpd.GeoDataFrame(table, geometry=lines, crs="EPSG:4326")

    return make


@pytest.fixture
def three(northward, triangle):
    """Return a maker of training, generated and held-out trips; the models would be asked about all of them."""

    def make(*sides, ids=("t", "g", "h"), roads=(None, None, None)):
        random = np.random.default_rng(0)
        read = []
        for east_m, name, routes in zip(sides, ids, roads, strict=True):
            table = northward(east_m, name, routes)
            traces = read_traces(table, triangle, random)
            read.append(Traces(traces.trip_id, traces.shape_m, traces.route, table))
        return AuditedTrips(*read, random)

    return make
