"""Offer toy cities that can be simulated: the grid with avenues that cross, and one large enough for long drives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely

if TYPE_CHECKING:
    from htp.city.network import City

ORIGIN_M = np.array([283_000.0, 6_690_000.0])  # of the toy frame


@pytest.fixture(scope="session")
def secondary_grid(grid: City) -> City:
    """Return the grid of 5 x 5 crossings with every street a secondary road."""
    return replace(grid, roads=grid.roads.assign(highway="secondary"))


@pytest.fixture(scope="session")
def wide_grid(grid: City) -> City:
    """Return the grid ten times as large, blocks of 1 km: streets 0 and 4 residential, the others secondary."""
    metres = grid.roads.geometry.to_crs(grid.crs)
    wide = shapely.transform(metres.to_numpy(), lambda xy: (xy - ORIGIN_M) * 10 + ORIGIN_M)
    inner = grid.roads["name"].str.endswith(("1", "2", "3"))
    roads = grid.roads.assign(
        highway=np.where(inner, "secondary", "residential"), length_m=grid.roads["length_m"] * 10
    ).set_geometry(gpd.GeoSeries(wide, crs=grid.crs).to_crs("EPSG:4326"))
    return replace(grid, name="Wide grid", roads=roads)
