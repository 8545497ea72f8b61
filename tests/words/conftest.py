"""The grid city with names that are hard: words of marks, days and dates in them."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import pytest
import shapely

from htp.city.names import Names

HARD = {
    "Calle 0": "Avenida da Boavista",
    "Calle 1": "Rua 25 de Abril",
    "Calle 2": "Acceso a Puerto de Guayacán",
    "Calle 3": "Santo Domingo",
    "Calle 4": "Rua da Quinta Seca",
    "Avenida 0": "Avenida Colón",
    "Avenida 1": "Los Almendros",
    "Avenida 2": "Torres y Arce",
    "Avenida 3": "José Manuel Balmaceda",
    "Avenida 4": "Rua da Boavista",
}


@pytest.fixture(scope="session")
def hard_city(grid, place):
    """Return the grid with `HARD` names, two zones and a place."""
    roads = grid.roads.assign(name=[HARD[name] for name in grid.roads["name"]])
    corners = [place(*xy) for xy in ((-10, -10), (210, -10), (210, 410), (-10, 410))]
    zones = gpd.GeoDataFrame({"zone_id": [1, 2]}, geometry=[shapely.Polygon(corners)] * 2, crs="EPSG:4326")
    town = gpd.GeoDataFrame(
        {"kind": ["place"], "name": ["Peñuelas"], "rank": [1]},
        geometry=[shapely.Point(*place(100, 300))],
        crs="EPSG:4326",
    )
    return replace(grid, roads=roads, zones=zones, landscape=town)


@pytest.fixture(scope="session")
def names(hard_city) -> Names:
    return Names(hard_city)
