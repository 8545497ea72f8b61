"""Check where vehicles stop, who drives them, and what SUMO is told of both."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from htp.simulate.drivers import KINDS, TEMPERS, draw_types, write_types
from htp.simulate.routes import VehicleRoutes
from htp.simulate.stops import END, IN_THE_WAY_S, START, WAY, KerbStops, draw_stops
from htp.simulate.vehicles import write_vehicles

if TYPE_CHECKING:
    from pathlib import Path

    from htp.city.network import City


def routes_of(*roads: list[int]) -> VehicleRoutes:
    arrays = [np.array(of_one, dtype=np.int32) for of_one in roads]
    return VehicleRoutes(np.arange(len(roads)), arrays, np.zeros(len(roads)))


@pytest.fixture(scope="module")
def stops(wide_grid: City) -> KerbStops:
    return draw_stops(wide_grid, routes_of(*[[0, 2, 4, 6]] * 5000), np.random.default_rng(0))  # blocks of 1 km


def test_stops_are_as_many_as_stated_at_the_start_at_the_end_and_on_the_way(stops: KerbStops):
    share = np.bincount(stops.place) / 5000
    assert share == pytest.approx([START.share, WAY.share, WAY.share, END.share], abs=0.03)


def test_stops_are_in_order_and_last_as_stated(stops: KerbStops):
    assert (np.diff(stops.route * 4 + stops.place) > 0).all()
    assert np.median(stops.duration_s[stops.place == 0]) == pytest.approx(START.median_s, rel=0.1)
    assert stops.duration_s.max() <= WAY.longest_s


def test_only_short_stops_on_the_way_are_in_the_way(stops: KerbStops):
    in_the_way = ~stops.kerb
    assert in_the_way.any()
    assert set(stops.place[in_the_way]) <= {1, 2}
    assert stops.duration_s[in_the_way].max() <= IN_THE_WAY_S


def test_types_differ_in_kind_and_temper_and_rain_slows_all():
    dry, wet = (ET.fromstring(f"<a>{write_types(pace)}</a>") for pace in (1.0, 0.9))  # noqa: S314  our own
    assert len({kind.attrib["id"] for kind in dry}) == len(KINDS) * len(TEMPERS)
    for one, other in zip(dry, wet, strict=True):
        fast, slow = (float(kind.attrib["speedFactor"][6:].split(",")[0]) for kind in (one, other))
        assert slow / fast == pytest.approx(0.9, abs=0.01)
        assert float(other.attrib["tau"]) > float(one.attrib["tau"])


def test_most_vehicles_are_cars():
    types = draw_types(10_000, np.random.default_rng(0))
    assert np.char.startswith(types, "car-").mean() == pytest.approx(KINDS[0].share, abs=0.02)


def test_vehicles_start_and_arrive_where_they_stop(tmp_path: Path):
    stops = KerbStops(
        np.array([0, 0]), np.array([0, 1]), np.array([50.0, 50.0]), np.array([20.0, 30.0]), np.array([True, False])
    )
    file = tmp_path / "vehicles.xml.gz"
    write_vehicles(np.array([60.0, 61.0]), routes_of([0, 1], [1, 2]), stops, 1.0, np.random.default_rng(0), file)
    with gzip.open(file) as xml:
        first, second = ET.parse(xml).getroot().findall("vehicle")  # noqa: S314  our own
    assert first.attrib["departPos"] == "stop"
    assert [(s.attrib["lane"], s.attrib["endPos"], s.attrib["parking"]) for s in first.findall("stop")] == [
        ("0_0", "50.0", "true"),
        ("1_0", "50.0", "false"),
    ]
    assert first.attrib["arrivalPos"] == "50.0"
    assert (second.attrib["departPos"], second.attrib["arrivalPos"]) == ("random", "random")
