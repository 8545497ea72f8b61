"""Check the traffic lights: two phases by hand, always green, a phase alone, plans over the day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from htp.simulate.circumstances import Circumstances
from htp.simulate.lights import (
    WALK_SHARE,
    WEEKDAY_PLANS,
    _Link,
    _program,
    _Stage,
    _stages,
    _state,
    _walked,
    write_lights,
)
from htp.simulate.network import build_network

if TYPE_CHECKING:
    from pathlib import Path

    from htp.city.network import City

# A crossing: road 0 from the west (straight, left), 1 from the east (straight), 2 from the south (straight).
WEST = _Link(0, source=0, target=10, direction="s", axis=0, inner=False)
WEST_LEFT = _Link(1, source=0, target=11, direction="l", axis=0, inner=False)
EAST = _Link(2, source=1, target=12, direction="s", axis=0, inner=False)
SOUTH = _Link(3, source=2, target=14, direction="s", axis=1, inner=False)
CROSSING = [WEST, WEST_LEFT, EAST, SOUTH]
ONE_LANE = np.ones(20, dtype=np.int64)
SHORT_M = np.full(20, 10.0)


def stages(links: list[_Link], flow: dict[int, float]) -> list[_Stage]:
    flows = np.array([flow.get(road, 0.0) for road in range(20)])
    return _stages(links, flows, ONE_LANE, SHORT_M)


def test_each_axis_has_its_green_and_left_turns_yield():
    assert [stage.state for stage in stages(CROSSING, {})] == ["GgGr", "rrrG"]


@pytest.mark.parametrize(
    ("flow", "share"),
    [({0: 600, 2: 400}, 0.6), ({0: 100, 1: 600, 2: 400}, 0.6), ({0: 1000}, 0.68), ({}, 0.5)],
    ids=["by flow", "busiest approach counts", "never below a third", "no traffic"],
)
def test_green_is_shared_by_traffic(flow: dict[int, float], share: float):
    assert stages(CROSSING, flow)[0].share == pytest.approx(share)


def test_light_without_a_crossing_axis_is_always_green():
    assert [stage.state for stage in stages([WEST, EAST._replace(place=1)], {})] == ["GG"]


def test_links_inside_a_junction_may_be_left_in_the_other_phase():
    inside = _Link(4, source=3, target=13, direction="l", axis=0, inner=True)
    assert _state([*CROSSING, inside], [SOUTH]) == "rrrGg"
    assert _state([*CROSSING, inside], [WEST, WEST_LEFT, EAST, inside]) == "GgGrG"


def test_a_crowded_inner_road_gives_its_approach_a_phase_alone():
    inside = _Link(4, source=11, target=13, direction="s", axis=1, inner=True)  # WEST_LEFT leads into it
    found = stages([*CROSSING, inside], {0: 5000, 2: 5000, 11: 3000})
    assert [stage.state for stage in found] == ["GgGrg", "GGrrG", "rrrGG"]
    assert [stage.share for stage in found] == pytest.approx([0.3, 0.2, 0.5])


def test_people_on_foot_have_a_phase_in_which_no_approach_has_green():
    walked = _walked(stages(CROSSING, {}), CROSSING)
    assert [stage.state for stage in walked] == ["GgGr", "rrrG", "rrrr"]
    assert [stage.share for stage in walked] == pytest.approx([(1 - WALK_SHARE) / 2] * 2 + [WALK_SHARE])


def test_program_puts_yellow_and_red_between_the_greens():
    program = ET.fromstring(_program("a", "day", [_Stage(0.5, "Gr"), _Stage(0.5, "rG")], 60, start=0.5))  # noqa: S314  our own
    phases = [(int(phase.attrib["duration"]), phase.attrib["state"]) for phase in program]
    assert phases == [(25, "Gr"), (3, "yr"), (2, "rr"), (25, "rG"), (3, "ry"), (2, "rr")]
    assert program.attrib["offset"] == "30"


def test_every_light_of_the_city_has_every_plan(secondary_grid: City, tmp_path: Path):
    network = build_network(secondary_grid, tmp_path)
    write_lights(secondary_grid, network, np.ones(80), Circumstances(date(2024, 5, 14)), 0, tmp_path / "lights.xml")
    root = ET.parse(tmp_path / "lights.xml").getroot()  # noqa: S314  our own
    programs = [(logic.attrib["id"], logic.attrib["programID"]) for logic in root.findall("tlLogic")]
    assert len(programs) == len(set(programs)) == 21 * 3
    assert len(root.findall("wautJunction")) == 21
    switches = [(float(s.attrib["time"]) / 3600, s.attrib["to"]) for s in root.find("WAUT").findall("wautSwitch")]
    assert switches == [(plan.from_hour, plan.name) for plan in WEEKDAY_PLANS[1:]]


def test_lights_are_out_of_step_in_another_way_every_day(secondary_grid: City, tmp_path: Path):
    network = build_network(secondary_grid, tmp_path)
    offsets = []
    for day in (14, 15):
        file = tmp_path / f"{day}.xml"
        write_lights(secondary_grid, network, np.ones(80), Circumstances(date(2024, 5, day)), 0, file)
        logics = ET.parse(file).getroot().findall("tlLogic")  # noqa: S314  our own
        phases = [[phase.attrib["duration"] for phase in logic] for logic in logics]
        offsets.append(([logic.attrib["offset"] for logic in logics], phases))
    assert offsets[0][0] != offsets[1][0]
    assert offsets[0][1] == offsets[1][1]
