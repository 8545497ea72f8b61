"""What is worth trying in a city, on cities whose streets and detours are known."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from htp.city.examples import bottleneck, is_coastal, main_street, morning_peak


def renamed(city, old: str, new: str, highway: str = "tertiary"):
    """Return the city with a street of another name and kind."""
    on_street = city.roads["name"] == old
    names, kinds = city.roads["name"].mask(on_street, new), city.roads["highway"].mask(on_street, highway)
    return replace(city, roads=city.roads.assign(name=names, highway=kinds))


def driven(city, **times: int) -> np.ndarray:
    """Return how often each road is driven: `road_5=2` is road 5 twice."""
    counts = np.zeros(len(city), dtype=np.int64)
    for name, count in times.items():
        counts[int(name.removeprefix("road_"))] = count
    return counts


def test_the_only_main_street_is_driven_from_end_to_end(grid, place):
    street = main_street(grid)
    assert (street.name, street.coastal) == ("Avenida 2", False)
    assert sorted(street.via, key=lambda end: end[1]) == [pytest.approx(place(200, y), abs=1e-5) for y in (0, 400)]
    assert set(grid.roads["name"].iloc[grid.route(street.via).roads]) == {"Avenida 2"}


def test_a_coast_road_comes_before_other_main_streets(grid):
    street = main_street(renamed(grid, "Calle 4", "Avenida Costanera"))
    assert (street.name, street.coastal) == ("Avenida Costanera", True)


def test_a_street_in_two_parts_is_driven_along_the_longer_one(grid, place):
    names = grid.roads["name"].where(grid.roads["name"] != "Avenida 2", "Other")
    names.iloc[[0, 1]] = names.iloc[[32, 33, 34, 35]] = "Calle Corta"  # a block of row 0, two of row 4
    kinds = grid.roads["highway"].mask(names == "Calle Corta", "secondary").mask(names == "Other", "residential")
    street = main_street(replace(grid, roads=grid.roads.assign(name=names, highway=kinds)))
    assert street.via[0] == pytest.approx(place(0, 400), abs=1e-5)
    assert street.via[1] == pytest.approx(place(200, 400), abs=1e-5)


def test_a_city_without_a_named_main_street_has_none(triangle):
    assert main_street(triangle) is None


@pytest.mark.parametrize(
    ("name", "coastal"),
    [
        ("Avenida del Mar", True),
        ("AVENIDA COSTANERA", True),
        ("Malecón 2000", True),
        ("Boulevard de la Corniche", True),
        ("Ocean Drive", True),
        ("Costanera del Río", False),
        ("Viña del Mar", False),
        ("Marginal Way to nowhere", False),
        ("", False),
    ],
)
def test_a_coast_road_is_known_by_its_name(name, coastal):
    assert is_coastal(name) == coastal


def test_the_bottleneck_is_the_block_that_is_driven_most_in_both_directions(grid):
    found = bottleneck(grid, driven(grid, road_0=3, road_1=3, road_2=5))
    assert found.roads == (0, 1)
    assert (found.name, found.bridge) == ("Calle 0", False)


def test_a_longer_way_round_weighs_as_much_as_more_trips(grid):
    # Avenida 2's first block takes 5 s and 30 s by its neighbours; Calle 0's takes 10 s and 30 s: 25 to 20
    assert bottleneck(grid, driven(grid, road_56=5, road_0=6)).roads == (56, 57)
    assert bottleneck(grid, driven(grid, road_56=5, road_0=7)).roads == (0, 1)


def test_a_bridge_by_name_comes_first(grid):
    found = bottleneck(renamed(grid, "Calle 3", "Puente Viejo"), driven(grid, road_0=9, road_24=1))
    assert found.roads == (24, 25)
    assert (found.name, found.bridge) == ("Puente Viejo", True)


def test_where_nothing_is_driven_or_there_is_no_way_round_there_is_no_bottleneck(grid, triangle):
    assert bottleneck(grid, driven(grid)) is None
    assert bottleneck(triangle, driven(triangle, road_0=5)) is None


def test_the_morning_peak_lies_amid_the_busiest_hour_before_noon():
    times = ["07:40", "07:50", "08:10", "08:20", "09:45", *["18:00"] * 9]
    starts = pd.DatetimeIndex([f"2024-05-14 {time}" for time in times]).tz_localize("America/Santiago")
    assert morning_peak(starts) == dt.time(8)
    assert morning_peak(starts - pd.Timedelta(minutes=30)) == dt.time(7, 30)
