"""Read speeds and lanes as mappers write them, and take nothing that no road has."""

from __future__ import annotations

import pytest

from htp.city.tags import Oddities, Tags


@pytest.mark.parametrize(
    ("value", "kmh"),
    [
        ("50", 50),
        ("50,5", 50.5),
        ('"50"', 50),
        ("30 km/h", 30),
        ("30 mph", 48.28),
        ("20mph", 32.19),
        ("5 knots", 9.26),
        ("50;30", 50),
        ("70|100", 70),
        ("50 @ (06:00-22:00)", 50),
        ("walk", 6),
        ("DE:walk", 6),
        ("zone:30", 30),
        ("DE:zone:30", 30),
        ("DE:zone30", 30),
        (["40", "60"], 40),
        (None, None),
    ],
)
def test_a_speed_limit_is_a_number_with_its_unit(value, kmh):
    odd = Oddities()
    found = Tags({"maxspeed": value}, odd).speed_kmh()
    assert found == (None if kmh is None else pytest.approx(kmh, abs=0.01))
    assert not odd.count


@pytest.mark.parametrize("value", ["none", "signals", "variable", "implicit", "RO:urban", "DE:rural"])
def test_a_limit_without_a_number_leaves_the_speed_to_the_class(value):
    odd = Oddities()
    assert Tags({"maxspeed": value}, odd).speed_kmh() is None
    assert not odd.count


@pytest.mark.parametrize("value", ["0", "1000", "-50", "fast", "", "2 furlongs"])
def test_a_limit_that_no_road_has_is_counted_and_shown(value):
    odd = Oddities()
    assert Tags({"maxspeed": value, "osmid": 7}, odd).speed_kmh() is None
    assert odd.said() == (
        "1 values that no road has were replaced by the default of their road's class, "
        f"such as maxspeed={value} of way 7."
    )


def test_each_direction_has_its_own_speed_and_lanes():
    tags = Tags({"maxspeed": "50", "maxspeed:forward": "80", "lanes": "3", "lanes:forward": "2", "lanes:backward": "1"})
    assert [tags.speed_kmh(forward=forward) for forward in (True, False)] == [80, 50]
    assert [tags.lanes(one_way=False, forward=forward) for forward in (True, False)] == [2, 1]


@pytest.mark.parametrize(
    ("value", "one_way", "lanes"),
    [
        ("3", True, 3),
        ("3", False, 1.5),
        ("2;1", True, 2),
        ("1.5", True, 1.5),
        (["2", "3"], True, 2),
        (None, True, None),
    ],
)
def test_lanes_are_those_of_one_direction(value, one_way, lanes):
    odd = Oddities()
    assert Tags({"lanes": value}, odd).lanes(one_way=one_way) == lanes
    assert not odd.count


@pytest.mark.parametrize("value", ["0", "-2", "5000", "x", ""])
def test_lanes_that_no_road_has_are_counted(value):
    odd = Oddities()
    assert Tags({"lanes": value}, odd).lanes(one_way=True) is None
    assert odd.count == 1


def test_a_speed_that_osmnx_has_added_counts_where_there_is_no_limit():
    assert Tags({"speed_kph": "43.2"}).speed_kmh() == 43.2
    assert Tags({"speed_kph": "43.2", "maxspeed": "50"}).speed_kmh() == 50
