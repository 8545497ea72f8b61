"""Ask for what is needed to add a city or trips to the workspace, and show what came of it."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from htp.errors import InputError
from htp.workspace import INCOMING, Kind, report_of
from htp_app.components.markup import without_pictures
from htp_app.jobs.action import action, forget, result, running
from htp_app.state import INTERVALS_S
from htp_app.views.data.additions import (
    MAX_UPLOAD_MB,
    ROADS,
    TRIPS,
    Added,
    Files,
    LineHints,
    city_work,
    trips_work,
)
from htp_app.views.data.report import report_panel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from htp.workspace import Workspace
    from htp_app.jobs.action import Work
    from htp_app.jobs.job import Job
    from htp_app.model import Model

UPLOAD, FOLDER = "Upload", "From the folder"
NAME_HELP = "Up to 40 letters, digits, - and _. It names the folder in the workspace."
IN_USE = "The city in use"
SPEED_UNITS = ("", "km/h", "mph")
FIELDS = "Which field says what: oneway, speed, name, class, lanes or id. Otherwise found by the usual names."
BUTTON_PX = 360  # width, and of the progress in its place


def add_city(workspace: Workspace) -> None:
    """Make a city of an OpenStreetMap extract or of centre lines."""
    st.markdown(
        "A city is made of an OpenStreetMap extract (`.osm.pbf`, `.osm`, an answer of Overpass), for example from an "
        "extract service, cut to the area of the trips; of a graph saved by osmnx (`.graphml`); or of centre lines: "
        "the streets of a city's own map or Overture's segments (`.gpkg`, `.geojson`, `.parquet`, `.fgb`, a Shapefile "
        "in a `.zip`)."
    )
    name = st.text_input("Name of the city", key="add-city-name", placeholder="porto", help=NAME_HELP)
    files = _files("add-city", workspace, ROADS, several=False)
    hints = _line_hints()
    work = partial(city_work, workspace, name, files, hints) if name and files else None
    made = _adding("add-city", "Add the city", work)
    if made is not None:
        *notes, last = made.said.splitlines() or [""]
        st.success(f"**{made.name}** is in the workspace: {last}", icon=":material/check_circle:")
        for note in notes:
            st.text(note)  # of a file: no markup


def _line_hints() -> LineHints:
    """Ask for what centre lines may not say of themselves."""
    with st.expander("Centre lines: what the file does not say"):
        left, right = st.columns(2)
        return LineHints(
            fields=left.text_input(
                "Fields", key="add-city-fields", placeholder="oneway=ONE_WAY speed=LIMIT", help=FIELDS
            ),
            speed_unit=right.selectbox("Speeds are in", SPEED_UNITS, key="add-city-unit", format_func=_unit_name),
            crs=left.text_input("Reference system", key="add-city-crs", placeholder="EPSG:2263"),
            layer=right.text_input("Layer", key="add-city-layer", help="Where the file has several."),
            attribution=left.text_input(
                "Credit on maps", key="add-city-attribution", placeholder="© Municipality of X"
            ),
            licence=right.text_input("Licence", key="add-city-licence", placeholder="CC BY 4.0"),
        )


def _unit_name(unit: str) -> str:
    return unit or "as the file says"


def add_trips(served: Model | None, workspace: Workspace, city: str | None) -> str | None:
    """Prepare trips for a city; return the chosen city of the workspace, None where it is the one in use."""
    st.markdown(
        "Trips are cleaned, matched to the roads and labelled, so that a model can learn from them: a CSV of points "
        "(trip_id, time, lon, lat), Porto's CSV, GPX, or GeoParquet. What cannot be used is counted by reason."
    )
    left, middle, right = st.columns(3)
    name = left.text_input("Name of the trips", key="add-trips-name", placeholder="taxis", help=NAME_HELP)
    with middle:
        chosen = city_choice(workspace, city, offered=served is not None)
    interval_s = right.selectbox(
        "Sampling interval", (None, *INTERVALS_S), key="add-trips-interval", format_func=_interval_name
    )
    files = _files("add-trips", workspace, TRIPS, several=True)

    place = chosen or (served.generator.city if served is not None else None)
    work = None
    if name and files and place is not None:
        work = partial(trips_work, workspace, name, files, place, interval_s)
    made = _adding("add-trips", "Prepare the trips", work)
    if made is not None:
        st.success(f"**{made.name}** is in the workspace.", icon=":material/check_circle:")
        show_report(workspace, made.name)
    return chosen


def _interval_name(interval_s: int | None) -> str:
    return "as recorded" if interval_s is None else f"{interval_s} s"


def city_choice(workspace: Workspace, city: str | None, *, offered: bool) -> str | None:
    """Ask for a city of the workspace; None is the one in use, which may be `offered` as well."""
    names = [entry.name for entry in workspace.entries(Kind.city) if entry.whole]
    options = [*([IN_USE] if offered else []), *names]
    if st.session_state.setdefault("data-city", city or IN_USE) not in options:
        st.session_state["data-city"] = options[0] if options else None
    chosen = st.selectbox("City", options, key="data-city")
    return None if chosen == IN_USE else chosen


def show_report(workspace: Workspace, name: str) -> None:
    """Show what became of prepared trips."""
    try:
        report_panel(report_of(workspace.existing(Kind.trips, name)))
    except InputError as error:
        st.error(without_pictures(str(error)))


def _files(name: str, workspace: Workspace, endings: Sequence[str], *, several: bool) -> Files:
    """Ask for uploads, or for files that lie in the workspace's folder for them."""
    source = st.segmented_control(
        "Files", (UPLOAD, FOLDER), default=UPLOAD, key=f"{name}-source", label_visibility="collapsed"
    )
    if source == FOLDER:
        there = workspace.incoming(endings)
        kinds = ", ".join(endings)
        picked = st.multiselect(
            f"Files in {workspace.folder / INCOMING} ({kinds})",
            there,
            key=f"{name}-names",
            max_selections=None if several else 1,
            placeholder="Choose" if there else "Put files into this folder first",
        )
        return Files(names=picked)
    uploads = st.file_uploader(
        f"Up to {MAX_UPLOAD_MB} MB a file; put larger ones into {workspace.folder / INCOMING}",
        type=sorted({ending.rsplit(".", 1)[-1] for ending in endings}),
        accept_multiple_files=several,  # one alone: the next takes the place of the one before
        key=f"{name}-uploads",
        max_upload_size=MAX_UPLOAD_MB,
    )
    return Files(uploads=uploads if isinstance(uploads, list) else [uploads] if uploads else [])


def _adding(name: str, label: str, work: Callable[[], Work] | None) -> Added | None:
    """Offer to add, or show how far it is; return what has been added, until somebody begins anew."""
    made: Added | None = result(name)

    def start() -> Work:
        assert work is not None
        begun = work()
        forget(name)
        return begun

    with st.container(width=BUTTON_PX):
        action(name, label, start if work else None, words=_words)
    if work is None and not running(name):
        st.caption("Give a name and choose a file first.")
    return None if running(name) else made


def _words(job: Job[Added]) -> str:
    seconds = time.monotonic() - job.since
    return f"{f'{job.done / job.total:.0%} done' if job.total else 'Working'}, {seconds:.0f} s"
