"""Ask which roads are changed and which trips are sent over them; keep, load and name scenarios."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from htp.city.addresses import street_names
from htp.errors import InputError
from htp.planning.scenario.changes import MAX_KMH, MAX_NAME, MIN_KMH, Scenario
from htp.planning.scenario.traffic import NAMELESS, both_directions, street_blocks, whole_street
from htp_app.components.controls import hours_slider, seed_input
from htp_app.components.files import download
from htp_app.components.markup import without_pictures
from htp_app.views.scenario.choices import COUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from htp.city import City
    from htp_app.map import Place
    from htp_app.views.scenario.choices import Planning

NAME = "scenario"  # of the choices and of the work
CLOSE, SPEED = "Close", "Set speed"
BLOCK, STREET = "One block", "Whole street"
ALL_BLOCKS = "All of it"
LISTED = 6  # changes; more of them share a line
USUAL_KMH = 30


def tool_panel(city: City) -> None:
    """Ask what a click on the map does to a road, or name the street instead."""
    st.session_state.setdefault("scenario-tool", CLOSE)
    st.session_state.setdefault("scenario-extent", BLOCK)
    st.session_state.setdefault("scenario-kmh", USUAL_KMH)
    st.markdown("#### Click a road to")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        tool = st.segmented_control(
            "A click", (CLOSE, SPEED), key="scenario-tool", label_visibility="collapsed", required=True
        )
        if tool == SPEED:
            st.number_input(
                "km/h", int(MIN_KMH), int(MAX_KMH), step=5, key="scenario-kmh", label_visibility="collapsed", width=110
            )
    st.segmented_control(
        "How much of it", (BLOCK, STREET), key="scenario-extent", label_visibility="collapsed", required=True
    )
    with st.expander("Or by street name", icon=":material/signpost:"):
        _by_name(city, "Close" if tool == CLOSE else f"Set to {st.session_state['scenario-kmh']} km/h")


def changes_panel(city: City, scenario: Scenario) -> None:
    """List the changes by street, each with a button that takes it back."""
    groups = _groups(city, scenario)
    if not groups:
        st.caption("Nothing is changed yet: both directions of a road change together.")
        return
    for number, (label, roads) in enumerate(groups[:LISTED]):
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"scenario-row-{number}"):
            st.markdown(label)
            st.button(
                "Take back",
                key=f"scenario-back-{number}",
                icon=":material/close:",
                type="tertiary",
                on_click=_apply,
                args=(Scenario.reset, roads),
            )
    if len(groups) == 1:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="scenario-rest"):
        rest = len(groups) - LISTED
        st.caption(f"and {rest} more" if rest > 0 else f"{len(scenario.changed)} roads changed")
        st.button("Undo all", type="tertiary", on_click=_apply, args=(Scenario.reset, scenario.changed))


def demand_panel(choices: Planning) -> Planning:
    """Ask for the trips; others than before ask for no generated ones by themselves."""
    demand = choices.demand
    st.markdown("#### Demand")
    left, right = st.columns(2)
    count = left.selectbox(
        "Held-out trips",
        COUNTS,
        COUNTS.index(demand.count),
        key="scenario-count",
        format_func=lambda number: f"{number:,}",
        help="Where these trips start and end, and when, is sent over the roads as they are and as changed.",
    )
    seed = seed_input(right, demand.seed, "scenario-seed")
    hours = hours_slider(demand.hours, "scenario-hours", "They start between")
    asked = replace(demand, count=int(count), seed=seed, hours=hours)
    return replace(choices, demand=asked if asked == demand else replace(asked, show=False))


def save_panel(city: City, choices: Planning) -> Planning:
    """Name the scenario, keep it as a file, load one."""
    st.session_state.setdefault("scenario-name", choices.scenario.name)
    with st.expander("Save and load", icon=":material/save:"):
        name = st.text_input("Name", key="scenario-name", max_chars=MAX_NAME, placeholder="Bridge closed")
        scenario = replace(choices.scenario, name=name.strip())
        name = f"{_file_name(scenario.name)}.json"
        download("Save scenario", scenario.to_json(city), name, disabled=not scenario.changed)
        st.file_uploader("Load a saved scenario", "json", key="scenario-file", on_change=_load, args=(city,))
        problem = st.session_state.pop("scenario-file-problem", None)
        if problem:
            st.error(without_pictures(problem))
        st.caption("The page's address holds the scenario as well: send it as a link.")
    return replace(choices, scenario=scenario)


def click(city: City, place: Place) -> None:
    """Change the road that was clicked, before the page runs; what is so already becomes as it was."""
    st.session_state.pop("scenario-problem", None)
    try:
        snap = city.snap(*place.point)
    except InputError as error:
        st.session_state["scenario-problem"] = str(error)
        return
    if snap.distance_m > place.reach_m:
        st.session_state["scenario-problem"] = "There is no road at this place; zoom in and click on one"
        return
    street = st.session_state.get("scenario-extent") == STREET
    _toggle(whole_street(city, snap.road_id) if street else both_directions(city, [snap.road_id]))


def _by_name(city: City, word: str) -> None:
    name = st.selectbox("Street", street_names(city), index=None, key="scenario-street", placeholder="Type a name")
    blocks = dict(street_blocks(city, name)) if name else {}
    block = st.selectbox("Block", [ALL_BLOCKS, *blocks], key="scenario-block", disabled=not name)
    roads = tuple(road for part in blocks.values() for road in part) if block == ALL_BLOCKS else blocks.get(block, ())
    st.button(word, width="stretch", disabled=not roads, key="scenario-apply", on_click=_change, args=(roads,))


def _change(roads: Iterable[int]) -> None:
    """Do to roads what the tool says."""
    if st.session_state["scenario-tool"] == CLOSE:
        _apply(Scenario.close, roads)
    else:
        kmh = float(st.session_state["scenario-kmh"])
        _apply(lambda scenario, those: scenario.set_speed(those, kmh), roads)


def _toggle(roads: tuple[int, ...]) -> None:
    """Do to roads what the tool says, or take it back where all of them are so already."""
    scenario: Scenario = st.session_state[NAME].scenario
    if st.session_state.get("scenario-tool", CLOSE) == CLOSE:
        there = set(roads) <= set(scenario.closed)
    else:
        speeds = dict(scenario.speeds_kmh)
        there = all(speeds.get(road) == float(st.session_state["scenario-kmh"]) for road in roads)
    if there:
        _apply(Scenario.reset, roads)
    else:
        _change(roads)


def _apply(change: Callable[[Scenario, Iterable[int]], Scenario], roads: Iterable[int]) -> None:
    """Change the scenario, before the page runs."""
    choices: Planning = st.session_state[NAME]
    st.session_state[NAME] = choices.changed(change(choices.scenario, roads))


def _load(city: City) -> None:
    """Take over an uploaded scenario, before the page runs."""
    file = st.session_state["scenario-file"]
    if file is None:
        return
    try:
        scenario = Scenario.from_json(file.getvalue(), city)
    except InputError as error:
        st.session_state["scenario-file-problem"] = str(error)
        return
    st.session_state[NAME] = st.session_state[NAME].changed(scenario)
    st.session_state["scenario-name"] = scenario.name


def _groups(city: City, scenario: Scenario) -> list[tuple[str, tuple[int, ...]]]:
    """Return the changes by street and kind: what is said of each, and its roads."""
    what = dict.fromkeys(scenario.closed, "closed") | {road: f"{kmh:g} km/h" for road, kmh in scenario.speeds_kmh}
    groups: dict[tuple[str, str], list[int]] = {}
    for road, word in what.items():
        name = city.roads["name"].iloc[road]
        groups.setdefault((name if isinstance(name, str) else NAMELESS, word), []).append(road)
    found = []
    for (name, word), roads in groups.items():
        icon = ":material/block:" if word == "closed" else ":material/speed:"
        of = f" · {blocks} blocks" if (blocks := _blocks(city, roads)) > 1 else ""
        found.append((f"{icon} **{_plain(name)}** {word}{of}", tuple(roads)))
    return found


def _blocks(city: City, roads: list[int]) -> int:
    """Return the number of blocks that roads make, both directions counted once."""
    back = city.opposite[roads]
    return len(np.unique(np.minimum(roads, np.where(back < 0, roads, back))))


def _plain(name: str) -> str:
    """Return a street's name without what Markdown would read."""
    return re.sub(r"([\\`*_\[\]<>$:#~])", r"\\\1", name)


def _file_name(name: str) -> str:
    return re.sub(r"[^\w\-]+", "-", name).strip("-")[:60] or "scenario"
