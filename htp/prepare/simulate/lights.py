"""Give every traffic light two phases, with cycles and greens that follow the traffic of the time of day.

netconvert's own programs give each approach of a joined junction its own phase, which jams a city even at night. Here
the approaches of a light form two axes by bearing; each axis has its green in turn, opposed left turns yield, and
links inside a joined junction may be left in the other phase too. A light without a crossing axis is always green.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from htp.prepare.simulate.network import lane_count, road_rank

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.prepare.simulate.network import Network

YELLOW_S, CLEARING_S = 3, 2  # after the green of each axis
LEAST_SHARE = 0.32  # of the cycle's green that the weaker axis gets
CYCLE_SPREAD_S = 8


class Plan(NamedTuple):
    """A signal plan: its name, the hour from which it runs, and its mean cycle."""

    name: str
    from_hour: float
    cycle_s: int


# Longer cycles in the peaks, short ones at night, as a city's signal plans have them.
WEEKDAY_PLANS = (
    Plan("night", 0, 50),
    Plan("day", 6.5, 84),
    Plan("peak", 7.25, 120),
    Plan("day", 9.5, 84),
    Plan("peak", 17.25, 120),
    Plan("day", 20, 84),
    Plan("night", 21.75, 50),
)
WEEKEND_PLANS = (Plan("night", 0, 50), Plan("day", 9, 84), Plan("night", 22.5, 50))


class _Link(NamedTuple):
    place: int  # in the state of the light
    source: int
    direction: str
    axis: int  # 0 or 1
    inner: bool  # begins inside the joined junction


def write_lights(
    city: City, network: Network, flow: NDArray[np.float64], plans: tuple[Plan, ...], seed: int, file: Path
) -> None:
    """Write the programs of all lights and when each runs as a SUMO additional file.

    `flow` [V] is the number of vehicles that pass each road in a day; the busier axis gets the longer green.
    """
    rng = np.random.default_rng([seed, 2])
    lanes = lane_count(city)
    programs = {plan.name: plan.cycle_s for plan in plans}
    with file.open("w", encoding="utf-8") as xml:
        xml.write("<additional>\n")
        links = _links(city, network)
        for light, of_light in links.items():
            share = _first_share(of_light, flow / lanes)
            stretch_s, start = int(rng.integers(-CYCLE_SPREAD_S, CYCLE_SPREAD_S + 1)), rng.random()
            for name, cycle_s in programs.items():
                xml.write(_program(light, name, of_light, cycle_s + stretch_s, share, start))
        xml.write(f'<WAUT id="day" refTime="0" startProg="{plans[0].name}">\n')
        xml.writelines(f'<wautSwitch time="{plan.from_hour * 3600:.0f}" to="{plan.name}"/>\n' for plan in plans[1:])
        xml.write("</WAUT>\n")
        xml.writelines(f'<wautJunction wautID="day" junctionID="{light}"/>\n' for light in links)
        xml.write("</additional>\n")


def _links(city: City, network: Network) -> dict[str, list[_Link]]:
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
            _Link(int(network.link[row]), road, str(network.direction[row]), int(cross), int(city.u[road]) in nodes)
            for row, road, cross in zip(of_light, sources.tolist(), crossing.tolist(), strict=True)
        ]
    return found


def _end_bearings(city: City) -> NDArray[np.float64]:
    """Return the direction in which each road arrives at its end, radians, [V]."""
    last = city.first_vertex[1:] - 1
    step = city.xy_m[last] - city.xy_m[last - 1]
    return np.arctan2(step[:, 1], step[:, 0])


def _first_share(links: list[_Link], flow_a_lane: NDArray[np.float64]) -> float:
    """Return the share of the green that the first axis gets: by the busiest lane of each axis."""
    busiest = [max((flow_a_lane[link.source] for link in links if link.axis == axis), default=0.0) for axis in (0, 1)]
    total = sum(busiest)
    share = busiest[0] / total if total > 0 else 0.5
    return float(np.clip(share, LEAST_SHARE, 1 - LEAST_SHARE))


def _program(light: str, name: str, links: list[_Link], cycle_s: int, share: float, start: float) -> str:
    lost_s = 2 * (YELLOW_S + CLEARING_S)
    first_s = round((cycle_s - lost_s) * share)
    states = [_state(links, 0, "G"), _state(links, 0, "y"), _state(links, 0, "r")]
    lengths = [first_s, YELLOW_S, CLEARING_S]
    if len({link.axis for link in links if not link.inner}) < 2:
        states, lengths = [_state(links, None, "G")], [cycle_s]
    else:
        states += [_state(links, 1, "G"), _state(links, 1, "y"), _state(links, 1, "r")]
        lengths += [cycle_s - lost_s - first_s, YELLOW_S, CLEARING_S]
    phases = "".join(f'<phase duration="{s}" state="{state}"/>' for s, state in zip(lengths, states, strict=True))
    offset_s = round(start * cycle_s)
    return f'<tlLogic id="{light}" type="static" programID="{name}" offset="{offset_s}">{phases}</tlLogic>\n'


def _state(links: list[_Link], green: int | None, shown: str) -> str:
    """Return the state of a light's links when axis `green` (None: both) shows green, yellow or, clearing, red."""
    state = ["r"] * (max(link.place for link in links) + 1)
    for link in links:
        if green is None or link.axis == green:
            yields = link.direction in "lLt" and not link.inner
            state[link.place] = "g" if shown == "G" and yields else shown
        elif link.inner:
            state[link.place] = "g"
    return "".join(state)
