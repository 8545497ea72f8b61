"""Offer a city wide enough for trips of several minutes, with zones, and a stand-in for the generator.

`wide`: the grid city ten times as large, crossings 1 km apart. Its zones `west` and `east` are the halves left and
right of the column of crossings 2, `nowhere` lies beside the city and has no road.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
import shapely

from htp.planning.demand.zones import Zones

if TYPE_CHECKING:
    import numpy as np

    from htp.city import City

sys.path.insert(0, str(Path(__file__).parents[2] / "app"))  # for fake_generator

from fake_generator import FakeGenerator

SCALE = 10
NAMES = ("west", "east", "nowhere")
EDGES_M = ((-500.0, 1900.0), (2100.0, 4500.0), (4600.0, 4700.0))  # of the zones, west to east


@pytest.fixture(scope="session")
def wide(grid: City) -> City:
    """Return the wide city."""
    origin_m = grid.xy_m.min(axis=0)

    def widened(lonlat: np.ndarray) -> np.ndarray:
        return grid.to_lonlat(origin_m + (grid.to_metres(lonlat) - origin_m) * SCALE)

    roads = grid.roads.assign(length_m=grid.roads["length_m"] * SCALE)
    return replace(grid, name="Wide", roads=roads.set_geometry(shapely.transform(roads.geometry.to_numpy(), widened)))


@pytest.fixture(scope="session")
def zone_frame(place) -> gpd.GeoDataFrame:
    """Return the three zones as a table."""
    shapes = [shapely.Polygon([place(x, y) for x, y in box_of(*edges)]) for edges in EDGES_M]
    return gpd.GeoDataFrame({"zone_id": NAMES}, geometry=shapes, crs="EPSG:4326")


@pytest.fixture(scope="session")
def zones(wide: City, zone_frame: gpd.GeoDataFrame) -> Zones:
    """Return the three zones with their roads."""
    return Zones.of(wide, zone_frame)


@pytest.fixture
def generator(wide: City) -> FakeGenerator:
    """Return a generator that needs no training."""
    return FakeGenerator(wide, seconds_per_trip=0.0)


def box_of(west_m: float, east_m: float) -> list[tuple[float, float]]:
    """Return the corners of a zone as high as the city."""
    return [(west_m, -500.0), (east_m, -500.0), (east_m, 4500.0), (west_m, 4500.0)]
