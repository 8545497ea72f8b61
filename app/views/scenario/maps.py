"""Draw what a scenario changes on the map: trips by road or points by cell, before, after, or the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
import streamlit as st

from htp.city.credit import credit_html
from htp.planning.scenario.traffic import road_trips
from htp_app.components.controls import pick
from htp_app.components.shades import bar, count_shades, difference_shades, ramps, ticks
from htp_app.map import Hint, MarkedLine, Picture, city_map
from htp_app.map.areas import area_table, cell_shapes, road_shapes
from htp_app.state import LOG
from htp_app.views.scenario.choices import AFTER, BEFORE, CELLS, CHANGE, ROADS
from htp_app.views.scenario.controls import click

if TYPE_CHECKING:
    from htp.city import City
    from htp.evaluate.density import Density
    from htp.planning.scenario import Outcome, Scenario
    from htp_app.links import LonLat
    from htp_app.map.table import PackedTable
    from htp_app.model import Model
    from htp_app.views.scenario.choices import Planning
    from htp_app.views.scenario.work import ScenarioTrips

HEIGHT = "max(12rem, calc(var(--htp-map) - 6.35rem))"  # beside the view's row and the legend
SIDES = {CHANGE: "Difference", BEFORE: "Before", AFTER: "After"}
PLACES = {ROADS: "Trips by road", CELLS: "Points by cell"}
CLOSED, SLOWER, FASTER = "#d01c3f", "#8a4fc9", "#12a37f"
CHANGED = {CLOSED: "Closed", SLOWER: "Slower", FASTER: "Faster"}
RIM_PX = 1.6
AROUND = 0.012  # degrees around the changed roads: a kilometre or so, where most detours are


def view_row(choices: Planning) -> tuple[str, str]:
    """Ask which side is drawn, and of what."""
    with st.container(horizontal=True, key="scenario-view", gap="medium", vertical_alignment="center"):
        side = pick("Side", SIDES, choices.side, "scenario-side")
        return side, pick("Of", PLACES, choices.places, "scenario-places")


def scenario_map(served: Model, choices: Planning, outcome: Outcome | None, made: ScenarioTrips | None) -> None:
    """Draw the map that takes clicks, and its legend; `made` are the generated trips of these choices."""
    city, scenario = served.generator.city, choices.scenario
    density = _density(choices, outcome, made)
    side = choices.side if scenario.changed or choices.side != CHANGE else BEFORE  # nothing differs yet
    table, most = _areas(city, choices, density, side)
    ramp = ramps().differences if side == CHANGE else ramps().counts
    picture = Picture(
        basemap=served.basemap,
        bounds=_bounds(city, scenario),
        credit=credit_html(city),
        areas=table,
        ramp=ramp,
        rim_px=RIM_PX if choices.places == ROADS else 0.8,
        marks=_marks(city, scenario),
        badge=served.badge,
        hint=_hint(choices, density),
        height=HEIGHT,
    )
    city_map("scenario-map", picture, on_place=lambda place: click(city, place))
    st.html(_legend(choices, side, most))


def _density(choices: Planning, outcome: Outcome | None, made: ScenarioTrips | None) -> Density | None:
    if choices.places == CELLS:
        return None if made is None else made.cells
    return None if outcome is None else road_trips(outcome)


def _areas(city: City, choices: Planning, density: Density | None, side: str) -> tuple[PackedTable | None, int]:
    """Return the table of the places that a side has something to say of, and the greatest number among them."""
    if density is None:
        return None, 0
    values = {CHANGE: density.difference, BEFORE: density.real, AFTER: density.generated}[side]
    rows, most = np.flatnonzero(values), int(np.abs(values).max(initial=0))
    if not len(rows):
        return None, most
    shade = (difference_shades if side == CHANGE else count_shades)(values[rows], most, LOG)
    order = np.argsort(np.abs(values[rows]), kind="stable")  # the greatest on top
    rows, shade = rows[order], shade[order]
    places = density.places[rows]
    if choices.places == CELLS:
        shapes, names, unit = cell_shapes(places), ["100 m cell"] * len(rows), "points"
    else:
        shapes, unit = road_shapes(city, places), "trips"
        names = [name if isinstance(name, str) else "Unnamed road" for name in city.roads["name"].iloc[places]]
    return area_table(city, shapes, density, rows, shade, (names, ("before", "after")), unit=unit), most


def _bounds(city: City, scenario: Scenario) -> tuple[LonLat, LonLat]:
    """Return the box around the changed roads, or around the city where there are none."""
    west, south, east, north = city.bounds
    if scenario.changed:
        changed = city.roads.geometry.iloc[list(scenario.changed)].total_bounds
        low, high = changed[:2] - AROUND, changed[2:] + AROUND
        west, south = max(west, float(low[0])), max(south, float(low[1]))
        east, north = min(east, float(high[0])), min(north, float(high[1]))
    return (west, south), (east, north)


def _marks(city: City, scenario: Scenario) -> tuple[MarkedLine, ...]:
    """Return the lines of the changed roads, both directions as one."""
    old = city.roads["speed_kmh"].to_numpy(dtype=float)
    colours = dict.fromkeys(scenario.closed, CLOSED)
    colours |= {road: SLOWER if kmh < old[road] else FASTER for road, kmh in scenario.speeds_kmh}
    marks = []
    for road, colour in colours.items():
        back = int(city.opposite[road])
        if back < 0 or back > road or colours.get(back) != colour:
            line = shapely.get_coordinates(city.roads.geometry.iloc[road]).round(6)
            marks.append(MarkedLine(colour, tuple((float(lon), float(lat)) for lon, lat in line)))
    return tuple(marks)


def _hint(choices: Planning, density: Density | None) -> Hint | None:
    problem = st.session_state.pop("scenario-problem", None)
    if problem:
        return Hint(problem, "error")
    if not choices.scenario.changed:
        return Hint("Click a road to close it, or set its speed")
    if choices.places == CELLS and density is None:
        return Hint("Generate trips to see their points here")
    return None


def _legend(choices: Planning, side: str, most: int) -> str:
    """Return the legend of the areas and of the marks."""
    unit = "Points in a cell" if choices.places == CELLS else "Trips on a road"
    what = "after less before: orange fewer, blue more" if side == CHANGE else SIDES[side].lower()
    shown = bar(f"{unit}, {what}", [*dict.fromkeys(ticks(most, LOG))], apart=side == CHANGE) if most else "<div></div>"
    keys = "".join(f"<span><i style='background:{colour}'></i>{word}</span>" for colour, word in CHANGED.items())
    return f"<div class='legend scenario'>{shown}<div class='keys'>{keys}</div></div>"
