"""Check what differs from day to day, and what SUMO is told of incidents."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from htp.simulate.circumstances import Circumstances, Incident
from htp.simulate.closures import write_closures
from htp.simulate.network import SumoNetwork, build_network
from htp.simulate.slowdown import Slowdown

if TYPE_CHECKING:
    from pathlib import Path

    from htp.city.network import City

TUESDAY = date(2024, 5, 14)


@pytest.fixture(scope="module")
def days(wide_grid: City) -> list[Circumstances]:
    return [Circumstances.draw(wide_grid, TUESDAY + timedelta(days=n), 0) for n in range(200)]


def test_days_differ_about_the_ordinary_day(days: list[Circumstances]):
    for of_day in ([today.demand for today in days], [today.peak for today in days]):
        assert np.mean(of_day) == pytest.approx(1, abs=0.03)
        assert 0.04 < np.std(of_day) < 0.15
    wet = [today.pace for today in days if today.pace < 1]
    assert 0.15 < len(wet) / len(days) < 0.45
    assert min(wet) > 0.85


def test_a_day_is_the_same_whenever_it_is_drawn(wide_grid: City, days: list[Circumstances]):
    assert Circumstances.draw(wide_grid, TUESDAY, 0) == days[0]
    assert Circumstances.draw(wide_grid, TUESDAY, 1) != days[0]


def test_incidents_are_on_main_roads_for_half_an_hour_or_longer(wide_grid: City, days: list[Circumstances]):
    incidents = [incident for today in days for incident in today.incidents]
    assert 5 < len(incidents) / len(days) < 11
    assert {wide_grid.roads["highway"].iloc[incident.road] for incident in incidents} == {"secondary"}
    assert min(incident.until_s - incident.from_s for incident in incidents) >= 1800
    assert {incident.left == 0 for incident in incidents} == {True, False}


def test_an_incident_is_on_the_sign_of_its_road_while_it_lasts(wide_grid: City, tmp_path: Path):
    road = int(Slowdown(wide_grid, Circumstances(TUESDAY), 0).roads[0])
    today = Circumstances(TUESDAY, incidents=(Incident(road, 3 * 3600, 4 * 3600, 0.2),))
    Slowdown(wide_grid, today, 0).write_signs(tmp_path / "signs.xml")
    root = ET.parse(tmp_path / "signs.xml").getroot()  # noqa: S314  our own
    first, second = (
        {float(step.attrib["time"]) / 3600: float(step.attrib["speed"]) for step in sign.findall("step")}
        for sign in root.findall("variableSpeedSign")[:2]
    )
    assert first[4] / first[3] == pytest.approx(5, rel=0.01)  # night: nothing else slows it
    assert 3 not in second


def test_a_closed_road_leads_around_from_the_roads_before_it(grid: City, tmp_path: Path):
    network: SumoNetwork = build_network(grid, tmp_path)
    incidents = (Incident(2, 3600.0, 7200.0, 0.0), Incident(4, 3600.0, 7200.0, 0.5))
    write_closures(network, Circumstances(TUESDAY, incidents=incidents), tmp_path / "closures.xml")
    (rerouter,) = ET.parse(tmp_path / "closures.xml").getroot()  # noqa: S314  our own
    warned = set(map(int, rerouter.attrib["edges"].split()))
    assert set(network.source[network.target == 2].tolist()) <= warned
    assert 2 not in warned
    interval = rerouter.find("interval")
    assert interval is not None
    assert (interval.attrib["begin"], interval.attrib["end"]) == ("3600", "7200")
    assert interval[0].attrib["id"] == "2"
