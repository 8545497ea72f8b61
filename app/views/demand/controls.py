"""Ask for a day's demand: a table and zones of one's own or those of the city, date, seed and the day's profile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import streamlit as st

from htp.errors import InputError
from htp.planning.demand.day import HOURS, check_shares, shares_of
from htp.planning.demand.gravity import gravity_flows
from htp.planning.demand.table import MAX_BYTES, MAX_TRIPS, flows_csv, read_flows
from htp.planning.demand.zones import Zones, city_zones, read_zones
from htp_app.components.controls import seed_input
from htp_app.components.files import download
from htp_app.components.markup import escaped
from htp_app.links import FIRST_DAY, LAST_DAY
from htp_app.model import Model

if TYPE_CHECKING:
    from htp.planning.demand.table import Flows
    from htp_app.views.demand.choices import DemandChoices

TABLE, ZONES = "table", "zones"  # files of one's own
TABLE_HELP = (
    "CSV with the columns origin, destination and trips: a row a pair of zones, whole numbers, at most "
    f"{MAX_TRIPS:,} trips in all."
)
ZONES_HELP = "GeoJSON or GeoParquet: a polygon a zone with the property zone_id, longitude first."


class File(NamedTuple):
    """A file that somebody uploaded; kept beside its widget, which forgets it on another page."""

    name: str
    content: bytes


class DemandTables(NamedTuple):
    """Zones and the trips between them; a sentence where what was uploaded cannot be used."""

    zones: Zones
    flows: Flows | None
    problem: str | None


def demand_panel(served: Model, choices: DemandChoices) -> tuple[DemandChoices, DemandTables]:
    """Ask for the table, the zones and how many trips."""
    st.markdown("#### Demand")
    table = _upload(TABLE, "Origin–destination table", ["csv"], TABLE_HELP)
    left, right = st.columns(2)
    count = left.number_input(
        "Trips",
        1,
        MAX_TRIPS,
        choices.count,
        key="demand-count",
        step=1000,
        disabled=table is not None,
        help="Of the table that is made where you give none; your own table says how many.",
    )
    seed = seed_input(right, choices.seed, "demand-seed")
    day = st.date_input("Day", choices.day, key="demand-day", min_value=FIRST_DAY, max_value=LAST_DAY)
    with st.expander("Zones of your own" if ZONES not in _files() else "Your zones", icon=":material/hexagon:"):
        zones = _upload(ZONES, "Zones", ["geojson", "json", "parquet"], ZONES_HELP)
    chosen = replace(choices, count=int(count), seed=seed, day=day or choices.day)
    return chosen, _demand(served, chosen.count, table, zones)


def profile_panel(served: Model, choices: DemandChoices) -> tuple[DemandChoices, tuple[float, ...], str | None]:
    """Ask for the share of departures in each hour; return it, and a sentence where it cannot be used."""
    known = len(served.heldout) > 0
    usual = shares_of(served.heldout["start_time"]) if known else (1.0,) * HOURS
    if "demand-profile" not in st.session_state:  # first run or back from another page: its edits start from these
        st.session_state["demand-profile-base"] = choices.shares or usual
    frame = pd.DataFrame(
        {"Hour": [f"{hour:02d}:00" for hour in range(HOURS)], "Share": st.session_state["demand-profile-base"]}
    )
    with st.expander("Departures by hour", icon=":material/schedule:"):
        first = f"as the held-out {served.real_word} trips depart" if known else "the same for every hour"
        st.caption(f"At first {first}. Click a share to change it.")
        edited = st.data_editor(
            frame,
            key="demand-profile",
            hide_index=True,
            disabled=["Hour"],
            height=240,
            column_config={
                "Hour": st.column_config.TextColumn("From", width=80),
                "Share": st.column_config.NumberColumn("Share of departures", min_value=0.0, format="%.1f", width=150),
            },
        )
    shares = tuple(edited["Share"].astype(float).tolist())
    try:
        check_shares(shares)
    except InputError as error:
        return replace(choices, shares=None), usual, str(error)
    return replace(choices, shares=None if shares == usual else shares), shares, None


def table_source(served: Model, demand: DemandTables) -> None:
    """Say where the table and the zones come from, and offer the table as a file to begin with."""
    own = _files()
    if ZONES in own:
        zones = f"{len(demand.zones):,} zones from {own[ZONES].name}"
    elif demand.zones.gridded:
        zones = f"{len(demand.zones):,} square zones laid over the roads, as the city has none of its own"
    else:
        zones = f"the {len(demand.zones):,} zones of {served.generator.city.name}"
    if TABLE in own:
        st.caption(f"Trips from {own[TABLE].name} between {zones}.")
    elif demand.flows is not None:
        st.caption(
            f"A made-up table between {zones}: by people, roads and distance (gravity model), not observed.",
            help="More people and more roads attract more trips, distance fewer. Upload a table of your own to replace "
            "it.",
        )
        download("Download this table", flows_csv(demand.flows, demand.zones.names), "demand.csv", icon="table")


def has_files() -> bool:
    """Whether anything was uploaded, which no link can carry."""
    return bool(_files())


def _upload(name: str, label: str, kinds: list[str], help_text: str) -> File | None:
    """Offer to upload a file, or say which one is in use and offer to take it away."""
    kept = _files().get(name)
    if kept is None:
        st.file_uploader(
            label,
            kinds,
            key=f"demand-{name}",
            help=help_text,
            on_change=_keep,
            args=(name,),
            max_upload_size=MAX_BYTES // 1_000_000,
        )
        return None
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    row.html(f"<p class='facts'>{escaped(kept.name)}</p>")
    row.button(
        "Remove",
        key=f"demand-{name}-away",
        icon=":material/close:",
        on_click=_take_away,
        args=(name,),
    )
    return kept


def _take_away(name: str) -> None:
    del _files()[name]


def _keep(name: str) -> None:
    uploaded = st.session_state[f"demand-{name}"]
    if uploaded is not None:
        _files()[name] = File(uploaded.name, uploaded.getvalue())


def _files() -> dict[str, File]:
    files: dict[str, File] = st.session_state.setdefault("demand-files", {})
    return files


def _demand(served: Model, count: int, table: File | None, zones: File | None) -> DemandTables:
    """Return what was asked for, read once as long as the files stay."""
    key = (id(served), count, table, zones)
    if st.session_state.get("demand-read-key") != key:
        st.session_state["demand-read"] = _read(served, count, table, zones)
        st.session_state["demand-read-key"] = key
    demand: DemandTables = st.session_state["demand-read"]
    return demand


def _read(served: Model, count: int, table: File | None, zones: File | None) -> DemandTables:
    city, found = served.generator.city, _zones_of(served)
    try:
        found = read_zones(zones.content, zones.name, city) if zones else found
        if table is not None:
            return DemandTables(found, read_flows(table.content, table.name, found.names), None)
        return DemandTables(found, gravity_flows(city, found, count), None)
    except InputError as error:
        return DemandTables(found, None, str(error))


@st.cache_resource(show_spinner=False, hash_funcs={Model: id})
def _zones_of(served: Model) -> Zones:
    return city_zones(served.generator.city)
