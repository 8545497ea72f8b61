"""Show a city on a map that works without a network: pick a route by clicks, see it drawn, see trips or areas on it.

The map is a Streamlit component around MapLibre GL JS. Its source is in `frontend/`, bundled by
`npm ci && npm run build` into `app/static/`, from where Streamlit serves it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from htp_app.map.transport import send

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp_app.map.table import PackedTable

LonLat = tuple[float, float]  # degrees
PLAY_BAR_PX = 34  # height, as in frontend/src/map.css
TABLES = ("basemap", "trips", "areas")  # of a picture, which travel by themselves

_BUNDLE = Path(__file__).parents[1] / "static" / "htp-map.js"
_VERSION = hashlib.blake2s(_BUNDLE.read_bytes(), digest_size=4).hexdigest()  # a new build is fetched, an old one cached
_MOUNT = f"""
export default async function (component) {{
  const {{ mount }} = await import(new URL("app/static/{_BUNDLE.name}?v={_VERSION}", document.baseURI).href);
  return mount(component);
}}
"""
_CHARTS = [
    f"static/js/{path.name}" for path in (Path(st.__file__).parent / "static/static/js").glob("PlotlyChart.*.js")
]
_component = st.components.v2.component("htp_map", js=_MOUNT)
_bar = st.components.v2.component("htp_play_bar", js=_MOUNT.replace("{ mount }", "{ mountBar: mount }"))


@dataclass(frozen=True)
class Hint:
    """One sentence over the map."""

    text: str
    kind: str = "info"  # or "error"


@dataclass(frozen=True)
class MarkedLine:
    """A line in a colour of its own, for what is few."""

    colour: str  # CSS
    line: tuple[LonLat, ...]


def corners(bounds: tuple[float, float, float, float]) -> tuple[LonLat, LonLat]:
    """Return the south-west and north-east corners of west, south, east and north ends, as `City.bounds` are."""
    west, south, east, north = bounds
    return (west, south), (east, north)


@dataclass(frozen=True)
class Picture:
    """What the map shows."""

    basemap: PackedTable
    bounds: tuple[LonLat, LonLat]  # south-west, north-east
    credit: str  # for the roads, HTML
    waypoints: tuple[LonLat, ...] = ()
    revision: int = 0  # of the waypoints: the greater of the person's and ours is shown
    route: tuple[LonLat, ...] = ()  # the line through the waypoints
    trips: PackedTable | None = None
    max_kmh: int = 60  # end of the speed scale
    legend: bool = True  # whether the speed scale is shown with the trips
    areas: PackedTable | None = None  # see app/map/areas.py
    ramp: tuple[str, ...] = ("#888888", "#888888")  # colours of the areas' shades, the first for 0, the last for 255
    rim_px: float = 0.8  # of the areas
    marks: tuple[MarkedLine, ...] = ()
    badge: str | None = None  # said beside the legend, e.g. that the data is simulated
    hint: Hint | None = None
    fit: str = ""  # the map moves to the route whenever this changes
    height: str = "60vh"  # CSS
    group: str = ""  # maps of one group move and play together
    play: bool = False  # whether the trips can be played; a group's maps need a `play_bar`


@dataclass(frozen=True)
class Picked:
    """The waypoints that a person left on the map."""

    waypoints: tuple[LonLat, ...]
    revision: int


@dataclass(frozen=True)
class Place:
    """Where a person clicked."""

    point: LonLat
    reach_m: float  # what lies this near is meant


def city_map(
    key: str,
    picture: Picture,
    on_pick: Callable[[Picked], None] | None = None,
    on_place: Callable[[Place], None] | None = None,
) -> None:
    """Draw a picture; `on_pick` is called before the run that follows a route picked on the map (None: to look at).

    `on_place` is called after a click, where a page takes clicks for something else than a route.
    """

    def changed() -> None:
        event = st.session_state[key].get("waypoints")
        if event and on_pick:
            on_pick(Picked(tuple((float(lon), float(lat)) for lon, lat in event["points"]), int(event["revision"])))

    def placed() -> None:
        event = st.session_state[key].get("place")
        if event and on_place:
            lon, lat = event["point"]
            on_place(Place((float(lon), float(lat)), float(event["reach_m"])))

    data = {**_data(picture), "pick": on_pick is not None, "place": on_place is not None}
    _component(key=key, data=_numbered(key, data), on_waypoints_change=changed, on_place_change=placed)
    send(f"{key}-basemap", picture.basemap)
    if picture.trips is not None:
        send(f"{key}-trips", picture.trips)
    if picture.areas is not None:
        send(f"{key}-areas", picture.areas)


def play_bar(key: str, group: str) -> None:
    """Offer to play the trips on all maps of a group, in step: each from its departure on."""
    _bar(key=key, data={"group": group}, height=PLAY_BAR_PX)


def _numbered(key: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return a picture's data with its number in this session, which rises whenever the data changes."""
    last, number = st.session_state.get(f"{key}-data", (None, 0))
    if data != last:
        number += 1
        st.session_state[f"{key}-data"] = (data, number)
    return {**data, "number": number}


def _data(picture: Picture) -> dict[str, Any]:
    """Return what the browser is told: of tables only their keys."""
    plain: dict[str, Any] = {each.name: getattr(picture, each.name) for each in fields(picture)}
    tables = {name: plain[name] and plain[name].key for name in TABLES}
    hint = picture.hint and vars(picture.hint)
    drawn = {"marks": [vars(mark) for mark in picture.marks], "hint": hint}  # `asdict` would copy every point
    return plain | tables | drawn | {"shades": {"ramp": picture.ramp, "rim": picture.rim_px}, "later": _CHARTS}
