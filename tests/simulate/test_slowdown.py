"""Check the imposed slowdown: when, where, in which direction, and the signs that carry it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np

from htp.simulate.circumstances import Circumstances
from htp.simulate.network import DRIVEN, SECONDARY
from htp.simulate.slowdown import SLOWEST, Slowdown

if TYPE_CHECKING:
    from pathlib import Path

    from htp.city.network import City

HOUR_S = 3600
TUESDAY, SATURDAY = Circumstances(date(2024, 5, 14)), Circumstances(date(2024, 5, 18))


def test_only_arterial_roads_are_slowed(wide_grid: City):
    names = set(wide_grid.roads["name"].iloc[Slowdown(wide_grid, TUESDAY, 0).roads])
    assert names == {"Calle 1", "Calle 2", "Calle 3", "Avenida 1", "Avenida 2", "Avenida 3"}


def test_peaks_are_slow_and_the_night_is_free(wide_grid: City):
    slowdown = Slowdown(wide_grid, TUESDAY, 0)
    assert (slowdown.factor(23 * HOUR_S) > 0.99).all()
    assert 0.5 < np.median(slowdown.factor(8 * HOUR_S)) < 0.75
    assert np.median(slowdown.factor(13 * HOUR_S)) > 0.8
    assert slowdown.factor(8 * HOUR_S).min() >= SLOWEST


def test_the_weekend_is_slowed_less(wide_grid: City):
    weekday = Slowdown(wide_grid, TUESDAY, 0)
    weekend = Slowdown(wide_grid, SATURDAY, 0)
    assert weekend.factor(8 * HOUR_S).mean() > 0.95
    assert weekend.factor(19 * HOUR_S).mean() > weekday.factor(18.5 * HOUR_S).mean() + 0.1


def test_morning_is_slower_inbound_and_evening_outbound(wide_grid: City):
    slowdown = Slowdown(wide_grid, TUESDAY, 0)
    road = slowdown.roads.tolist()
    inbound, outbound = road.index(8 * 2), road.index(8 * 2 + 1)  # Calle 2's westmost block, east and west
    morning, evening = slowdown.factor(8 * HOUR_S), slowdown.factor(18.5 * HOUR_S)
    assert morning[inbound] < morning[outbound]
    assert evening[inbound] > evening[outbound]


def test_signs_name_every_lane_and_give_speeds_in_metres_a_second(wide_grid: City, tmp_path: Path):
    slowdown = Slowdown(wide_grid, TUESDAY, 0)
    slowdown.write_signs(tmp_path / "signs.xml")
    root = ET.parse(tmp_path / "signs.xml").getroot()  # noqa: S314  our own
    signs = root.findall("variableSpeedSign")
    assert [sign.attrib["lanes"] for sign in signs] == [f"{road}_0" for road in slowdown.roads]
    steps = [(float(step.attrib["time"]), float(step.attrib["speed"])) for step in signs[0].findall("step")]
    shown_ms = [speed_ms for time_s, speed_ms in steps if time_s <= 8 * HOUR_S][-1]
    expected = slowdown.factor(8 * HOUR_S + 450)[0] * 10 * DRIVEN[SECONDARY]  # the limit is 10 m/s
    assert abs(shown_ms - expected) < 0.3
