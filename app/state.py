"""Keep what a person has chosen, in the session and in the URL, so that a link reproduces the view.

The names in the URL are those of `htp generate`'s options. Streamlit forgets a widget's value when another page is
shown; the choices are kept beside the widgets.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LonLat = tuple[float, float]  # degrees

MAX_COUNT = 500  # trips at a time in the app
INTERVALS_S = (5, 10, 15, 20, 30, 60)
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.1, 2.0
MAX_SEED = 2**31 - 1
MIN_DURATION_S, MAX_DURATION_S = 6, 4 * 3600
FIRST_DAY, LAST_DAY = dt.date(1990, 1, 1), dt.date(2099, 12, 31)


@dataclass(frozen=True)
class Choices:
    """What to generate."""

    depart: dt.datetime  # local time of the city, without a time zone
    via: tuple[LonLat, ...] = ()
    duration_s: int | None = None  # None: left to the model
    interval_s: int = 15
    count: int = 20
    seed: int = 1
    temperature: float = 1.0
    show: bool = False  # whether the trips are on the map

    def to_query(self) -> dict[str, str]:
        """Return the choices as the parameters of a URL."""
        query = {
            "via": ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in self.via),
            "depart": self.depart.isoformat(timespec="minutes"),
            "duration": "" if self.duration_s is None else str(self.duration_s),
            "interval": str(self.interval_s),
            "n": str(self.count),
            "seed": str(self.seed),
            "temperature": f"{self.temperature:g}",
            "show": "1" if self.show else "",
        }
        return {name: value for name, value in query.items() if value}

    def with_query(self, query: Mapping[str, str]) -> tuple[Choices, list[str]]:
        """Return these choices under a URL's parameters, and a sentence on each that could not be used."""
        fields: dict[str, Any] = {}
        problems = []
        for name, text in query.items():
            if name not in _READERS:
                continue
            field, read = _READERS[name]
            try:
                fields[field] = read(text)
            except InputError as error:
                problems.append(f"The link's {name}={text[:60]} was left out: {error}.")
        return replace(self, **fields), problems


def restore(defaults: Choices) -> tuple[Choices, list[str]]:
    """Return this session's choices, at its start those of the link, and what was wrong with the link."""
    if "choices" in st.session_state:
        return st.session_state["choices"], []
    choices, problems = defaults.with_query(st.query_params.to_dict())
    st.session_state["choices"] = choices
    return choices, problems


def remember(choices: Choices) -> None:
    """Keep the choices for the next run and write them into the URL."""
    st.session_state["choices"] = choices
    if st.query_params.to_dict() != choices.to_query():
        st.query_params.from_dict(choices.to_query())


def parse_waypoints(text: str) -> tuple[LonLat, ...]:
    """Read `lon,lat` pairs separated by semicolons or line ends; `InputError` says which pair is wrong."""
    points = []
    for part in text.replace("\n", ";").split(";"):
        if not part.strip():
            continue
        numbers = part.replace(",", " ").split()
        try:
            lon, lat = (float(number) for number in numbers)
        except ValueError as error:
            raise InputError(
                f"“{part.strip()[:40]}” is no point; write longitude, latitude, as in -71.34, -29.95"
            ) from error
        if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 180):
            raise InputError(f"“{part.strip()[:40]}” is no place on Earth; write longitude, latitude in degrees")
        points.append((lon, lat))
    return tuple(points)


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and low <= int(text[:12]) <= high):
            raise InputError(f"it takes a whole number from {low} to {high}")
        return int(text)

    return read


def _depart(text: str) -> dt.datetime:
    try:
        depart = dt.datetime.fromisoformat(text).replace(tzinfo=None, second=0, microsecond=0)
    except ValueError as error:
        raise InputError("it takes a date and time, as in 2024-05-14T08:00") from error
    if not FIRST_DAY <= depart.date() <= LAST_DAY:
        raise InputError(f"it takes a day from {FIRST_DAY:%Y} to {LAST_DAY:%Y}")
    return depart


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not MIN_TEMPERATURE <= value <= MAX_TEMPERATURE:
        raise InputError(f"it takes a number from {MIN_TEMPERATURE:g} to {MAX_TEMPERATURE:g}")
    return value


def _interval(text: str) -> int:
    if text not in map(str, INTERVALS_S):
        raise InputError(f"it takes one of {', '.join(map(str, INTERVALS_S))} seconds")
    return int(text)


_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "via": ("via", parse_waypoints),
    "depart": ("depart", _depart),
    "duration": ("duration_s", _whole(MIN_DURATION_S, MAX_DURATION_S)),
    "interval": ("interval_s", _interval),
    "n": ("count", _whole(1, MAX_COUNT)),
    "seed": ("seed", _whole(0, MAX_SEED)),
    "temperature": ("temperature", _temperature),
    "show": ("show", lambda text: text == "1"),
}
