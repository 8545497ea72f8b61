"""Give every traffic light two phases, with cycles and greens that follow the traffic of the time of day.

netconvert's own programs give each approach of a joined junction its own phase, which jams a city even at night. Here
the approaches of a light form two axes by bearing; each axis has its green in turn, opposed left turns yield, and
links inside a joined junction may be left in the other phase too. A light without a crossing axis is always green.
Where more vehicles turn into a short inner road than wait there, the approach that they come from gets a part of its
axis's green alone.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from htp.simulate.network import lane_count, road_rank

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.simulate.circumstances import Circumstances
    from htp.simulate.network import SumoNetwork

YELLOW_S, CLEARING_S = 3, 2  # after the green of each axis
GREEN, YIELDING_GREEN, YELLOW, RED = "G", "g", "y", "r"
ALONE_SHARE = 0.4  # of an axis's green that a crowded approach has to itself
CROWDED = 1000  # vehicles a day for each that finds room on an inner road
VEHICLE_M = 7.6
LEAST_SHARE = 0.32  # of the cycle's green that the weaker axis gets
CYCLE_SPREAD_S = 8
WALKED_SHARE = 0.8  # of the lights that stop all traffic for people on foot
WALK_SHARE = 0.2  # of their cycle's green


class SignalPlan(NamedTuple):
    """A signal plan: its name, the hour from which it runs, and its mean cycle."""

    name: str
    from_hour: float
    cycle_s: int


# Longer cycles in the peaks, short ones at night, as a city's signal plans have them.
WEEKDAY_PLANS = (
    SignalPlan("night", 0, 80),
    SignalPlan("day", 6.5, 110),
    SignalPlan("peak", 7.25, 130),
    SignalPlan("day", 9.5, 110),
    SignalPlan("peak", 17.25, 130),
    SignalPlan("day", 20, 110),
    SignalPlan("night", 21.75, 80),
)
WEEKEND_PLANS = (SignalPlan("night", 0, 80), SignalPlan("day", 9, 110), SignalPlan("night", 22.5, 80))


class _Link(NamedTuple):
    place: int  # in the state of the light
    source: int
    target: int
    direction: str
    axis: int  # 0 or 1
    inner: bool  # begins inside the joined junction


class _Stage(NamedTuple):
    share: float  # of the cycle's green
    state: str


def write_lights(
    city: City, network: SumoNetwork, flow: NDArray[np.float64], today: Circumstances, seed: int, file: Path
) -> None:
    """Write the programs of all lights and when each runs as a SUMO additional file.

    `flow` [V] is the number of vehicles that pass each road in a day; the busier axis gets the longer green. A light's
    cycle and whether people on foot have a phase are the same on all days, when its cycles begin is not.
    """
    rng, of_day = np.random.default_rng([seed, 2]), np.random.default_rng([seed, 2, today.day.toordinal()])
    plans = WEEKEND_PLANS if today.weekend else WEEKDAY_PLANS
    lanes = lane_count(city)
    programs = {plan.name: plan.cycle_s for plan in plans}
    with file.open("w", encoding="utf-8") as xml:
        xml.write("<additional>\n")
        links = _links(city, network)
        for light, of_light in links.items():
            stages = _stages(of_light, flow, lanes, city.length_m)
            stretch_s, start = int(rng.integers(-CYCLE_SPREAD_S, CYCLE_SPREAD_S + 1)), of_day.random()
            if rng.random() < WALKED_SHARE:
                stages = _walked(stages, of_light)
            for name, cycle_s in programs.items():
                xml.write(_program(light, name, stages, cycle_s + stretch_s, start))
        xml.write(f'<WAUT id="day" refTime="0" startProg="{plans[0].name}">\n')
        xml.writelines(f'<wautSwitch time="{plan.from_hour * 3600:.0f}" to="{plan.name}"/>\n' for plan in plans[1:])
        xml.write("</WAUT>\n")
        xml.writelines(f'<wautJunction wautID="day" junctionID="{light}"/>\n' for light in links)
        xml.write("</additional>\n")


def _links(city: City, network: SumoNetwork) -> dict[str, list[_Link]]:
    """Return the links of each light, each with its axis."""
    bearing = _end_bearings(city)
    rank = road_rank(city)
    rows = defaultdict(list)
    for row in np.flatnonzero(network.light != "").tolist():
        rows[str(network.light[row])].append(row)
    found = {}
    for light, of_light in rows.items():
        sources = network.source[of_light]
        nodes = set(city.v[sources].tolist())
        main = bearing[min(sources.tolist(), key=lambda road: (rank[road], road))]
        crossing = np.abs(np.sin(bearing[sources] - main)) > np.sqrt(0.5)  # more than 45 degrees off the main axis
        found[light] = [
            _Link(
                place=int(network.link[row]),
                source=road,
                target=int(network.target[row]),
                direction=str(network.direction[row]),
                axis=int(cross),
                inner=int(city.u[road]) in nodes,
            )
            for row, road, cross in zip(of_light, sources.tolist(), crossing.tolist(), strict=True)
        ]
    return found


def _end_bearings(city: City) -> NDArray[np.float64]:
    """Return the direction in which each road arrives at its end, radians, [V]."""
    last = city.first_vertex[1:] - 1
    step = city.xy_m[last] - city.xy_m[last - 1]
    return np.arctan2(step[:, 1], step[:, 0])


def _stages(
    links: list[_Link], flow: NDArray[np.float64], lanes: NDArray[np.int64], length_m: NDArray[np.float64]
) -> list[_Stage]:
    """Return the stages of a light: one where no axis crosses, else one an axis, or two where an inner road is crowded.

    The axes share the green by their busiest lanes.
    """
    busiest = [
        max((flow[link.source] / lanes[link.source] for link in links if link.axis == axis), default=0.0)
        for axis in (0, 1)
    ]
    first = busiest[0] / sum(busiest) if sum(busiest) > 0 else 0.5
    first = float(np.clip(first, LEAST_SHARE, 1 - LEAST_SHARE))
    if len({link.axis for link in links if not link.inner}) < 2:
        return [_Stage(1.0, _state(links, links))]
    stages = []
    for axis, share in ((0, first), (1, 1 - first)):
        green = [link for link in links if link.axis == axis]
        room = {
            link.source: (length_m[link.source] // VEHICLE_M + 1) * lanes[link.source] for link in links if link.inner
        }
        crowded = {road for road, vehicles in room.items() if flow[road] > CROWDED * vehicles}
        feeders = {link.source for link in green if link.target in crowded and not link.inner}
        if feeders:
            alone = [link for link in links if link.source in feeders or (link.inner and link.source in crowded)]
            stages.append(_Stage(share * (1 - ALONE_SHARE), _state(links, green)))
            stages.append(_Stage(share * ALONE_SHARE, _state(links, alone, protected=True)))
        else:
            stages.append(_Stage(share, _state(links, green)))
    return stages


def _walked(stages: list[_Stage], links: list[_Link]) -> list[_Stage]:
    """Return the stages with one more, in which people walk and no approach has green."""
    return [
        *(_Stage(stage.share * (1 - WALK_SHARE), stage.state) for stage in stages),
        _Stage(WALK_SHARE, _state(links, [])),
    ]


def _state(links: list[_Link], green: list[_Link], *, protected: bool = False) -> str:
    """Return the light's state when the links of `green` show green; left turns yield unless they are protected."""
    state = [RED] * (max(link.place for link in links) + 1)
    for link in links:
        if link in green:
            yields = link.direction in "lLt" and not link.inner and not protected
            state[link.place] = YIELDING_GREEN if yields else GREEN
        elif link.inner:
            state[link.place] = YIELDING_GREEN
    return "".join(state)


def _program(light: str, name: str, stages: list[_Stage], cycle_s: int, start: float) -> str:
    """Return a program as XML: each stage's green, then yellow and red for the links that the next stage stops."""
    phases = []
    green_s = cycle_s - len(stages) * (YELLOW_S + CLEARING_S)
    for stage, following in zip(stages, stages[1:] + stages[:1], strict=True):
        stops = [now in "Gg" and then == RED for now, then in zip(stage.state, following.state, strict=True)]
        waits = [now == RED or stop for now, stop in zip(stage.state, stops, strict=True)]
        yellow = "".join(YELLOW if stop else now for now, stop in zip(stage.state, stops, strict=True))
        clearing = "".join(RED if wait else now for now, wait in zip(stage.state, waits, strict=True))
        phases.append((max(round(green_s * stage.share), 1), stage.state))
        if len(stages) > 1:
            phases += [(YELLOW_S, yellow), (CLEARING_S, clearing)]
    xml = "".join(f'<phase duration="{seconds}" state="{state}"/>' for seconds, state in phases)
    offset_s = round(start * cycle_s)
    return f'<tlLogic id="{light}" type="static" programID="{name}" offset="{offset_s}">{xml}</tlLogic>\n'
