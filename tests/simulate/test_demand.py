"""Check who drives when and where: homes, directions, hours, zones."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely

from htp.errors import InputError
from htp.simulate.circumstances import Circumstances
from htp.simulate.demand import DAY_S, REACHES, _cell_pairs, built_up, draw_demand, middles_m

if TYPE_CHECKING:
    from htp.city.network import City

TUESDAY, SATURDAY = Circumstances(date(2024, 5, 14)), Circumstances(date(2024, 5, 18))


def all_roads(city: City) -> np.ndarray:
    return np.ones(len(city), dtype=bool)


def test_departures_are_sorted_within_the_day_and_ends_differ(wide_grid: City):
    demand = draw_demand(wide_grid, all_roads(wide_grid), TUESDAY, 2000, np.random.default_rng(0))
    assert (np.diff(demand.depart_s) >= 0).all()
    assert demand.depart_s[0] >= 0
    assert demand.depart_s[-1] < DAY_S
    assert (demand.origin != demand.destination).all()
    assert len(demand.origin) > 1800


def test_weekday_has_two_peaks_and_the_weekend_starts_late(wide_grid: City):
    def per_hour(day: Circumstances) -> np.ndarray:
        demand = draw_demand(wide_grid, all_roads(wide_grid), day, 20_000, np.random.default_rng(0))
        return np.histogram(demand.depart_s / 3600, bins=24, range=(0, 24))[0] / len(demand.depart_s)

    weekday, weekend = per_hour(TUESDAY), per_hour(SATURDAY)
    assert weekday[8] > 1.5 * weekday[10]
    assert weekday[18] > 1.2 * weekday[15]
    assert weekend[8] < 0.5 * weekday[8]
    assert weekend.max() < weekday.max()


def test_roads_that_are_not_usable_are_neither_origin_nor_destination(wide_grid: City):
    usable = np.arange(80) % 2 == 0
    demand = draw_demand(wide_grid, usable, TUESDAY, 500, np.random.default_rng(0))
    assert usable[demand.origin].all()
    assert usable[demand.destination].all()


def test_mornings_start_where_the_zones_have_people(wide_grid: City):
    west, south, east, north = wide_grid.roads.total_bounds
    middle = (west + east) / 2
    boxes = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
    zones = gpd.GeoDataFrame({"zone_id": [1, 2], "population": [1000.0, 0.0]}, geometry=boxes, crs="EPSG:4326")
    city = replace(wide_grid, zones=zones)
    demand = draw_demand(city, all_roads(city), TUESDAY, 4000, np.random.default_rng(0))
    in_west = city.to_lonlat(middles_m(city))[:, 0] < middle
    morning = (demand.depart_s > 7 * 3600) & (demand.depart_s < 9 * 3600)
    evening = (demand.depart_s > 17.5 * 3600) & (demand.depart_s < 19.5 * 3600)
    assert in_west[demand.origin[morning]].mean() > 0.85
    assert in_west[demand.destination[evening]].mean() > 0.75
    assert in_west[demand.origin[morning]].mean() > in_west[demand.destination[morning]].mean() + 0.1


def test_places_draw_trips_as_the_gravity_model_says():
    cell = np.array([0, 1, 2])  # a road each: a home, a place 1 km away, a place 5 km away
    centres_m = np.array([[0.0, 0.0], [1000.0, 0.0], [5000.0, 0.0]])
    homes, places = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 1.0])
    home, place = _cell_pairs(cell, centres_m, homes, places, 20_000, np.random.default_rng(0))
    assert (home == 0).all()
    near = sum(share / (1 + 5**0.8 * np.exp(-4000 / decay_m)) for share, decay_m in REACHES)  # d^0.8 exp(-d / decay)
    assert (place == 1).mean() == pytest.approx(near, abs=0.01)


def test_the_city_is_built_up_where_minor_roads_are(wide_grid: City):
    streets = wide_grid.roads["highway"].to_numpy() == "residential"  # at the edge
    middle_m = middles_m(wide_grid)
    built = built_up(wide_grid, middle_m)
    assert 0 <= built.min() < built.max() <= 1
    assert built[streets].mean() > built[~streets].mean() + 0.1


def test_city_without_a_usable_road_is_refused(wide_grid: City):
    with pytest.raises(InputError, match="no road is fit"):
        draw_demand(wide_grid, np.zeros(80, dtype=bool), TUESDAY, 10, np.random.default_rng(0))
