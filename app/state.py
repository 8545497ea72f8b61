"""Keep what a person has chosen, in the session and in the URL, so that a link reproduces the view.

The names in the URL are those of `htp generate`'s options. Streamlit forgets a widget's value when another page is
shown; the choices are kept beside the widgets.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import streamlit as st

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LonLat = tuple[float, float]  # degrees

MAX_COUNT = 500  # trips at a time in the app
MAX_COUNT_EACH = 200  # trips at each of several departures
INTERVALS_S = (5, 10, 15, 20, 30, 60)
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.1, 2.0
MAX_SEED = 2**31 - 1
MIN_DURATION_S, MAX_DURATION_S = 6, 4 * 3600
MAX_TIMES = 4  # departures beside each other
STREET, BLOCK = "street", "block"
LIKE = (200, 500, 1000, 2000)  # held-out trips to make trips like; or
ALL = "all"
LOG, LINEAR = "log", "linear"
CELLS, TOP_CELLS, TOP_ROADS = "cells", "top-cells", "top-roads"
CHECKPOINT = "checkpoint"  # in every link of a session that has chosen another than the app was started with
BACKEND = "backend"  # likewise
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
    trip: int | None = None  # that is looked at, from 1

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
            "trip": "" if self.trip is None else str(self.trip),
        }
        return {name: value for name, value in query.items() if value}

    def with_query(self, query: Mapping[str, str]) -> tuple[Choices, list[str]]:
        """Return these choices under a URL's parameters, and a sentence on each that could not be used."""
        fields, problems = read_query(query, _READERS)
        return replace(self, **fields), problems


@dataclass(frozen=True)
class Departures:
    """One route at several times of a day."""

    day: dt.date
    via: tuple[LonLat, ...] = ()
    times: tuple[dt.time, ...] = (dt.time(8), dt.time(23))  # local time of the city, one to MAX_TIMES
    count: int = 20  # trips at each
    seed: int = 1
    by: str = STREET  # what the lost time is added up by
    show: bool = False  # whether the trips are on the maps

    def to_query(self) -> dict[str, str]:
        """Return the choices as the parameters of a URL."""
        query = {
            "via": ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in self.via),
            "day": self.day.isoformat(),
            "times": ",".join(f"{time:%H:%M}" for time in self.times),
            "n": str(self.count),
            "seed": str(self.seed),
            "by": self.by,
            "show": "1" if self.show else "",
        }
        return {name: value for name, value in query.items() if value}

    def with_query(self, query: Mapping[str, str]) -> tuple[Departures, list[str]]:
        """Return these choices under a URL's parameters, and a sentence on each that could not be used."""
        fields, problems = read_query(query, _DEPARTURES_READERS)
        return replace(self, **fields), problems


@dataclass(frozen=True)
class Comparison:
    """Generated trips beside the held-out ones that they were made like, and how both are looked at."""

    count: int | None = 500  # held-out trips; None: all
    seed: int = 1
    hours: tuple[int, int] = (0, 24)  # of the day, without the second
    scale: str = LOG
    places: str = CELLS
    show: bool = False  # whether there are generated trips

    def to_query(self) -> dict[str, str]:
        """Return the choices as the parameters of a URL; how density is looked at only where somebody chose."""
        query = {
            "like": ALL if self.count is None else str(self.count),
            "seed": str(self.seed),
            "hours": "" if self.hours == (0, 24) else f"{self.hours[0]}-{self.hours[1]}",
            "scale": "" if self.scale == LOG else self.scale,
            "places": "" if self.places == CELLS else self.places,
            "show": "1" if self.show else "",
        }
        return {name: value for name, value in query.items() if value}

    def with_query(self, query: Mapping[str, str]) -> tuple[Comparison, list[str]]:
        """Return these choices under a URL's parameters, and a sentence on each that could not be used."""
        fields, problems = read_query(query, COMPARISON_READERS)
        return replace(self, **fields), problems


class Linked(Protocol):
    """The choices of a page, which a link can carry."""

    def to_query(self) -> dict[str, str]:
        """Return the choices as the parameters of a URL."""

    def with_query(self, query: Mapping[str, str]) -> tuple[Self, list[str]]:
        """Return these choices under a URL's parameters, and a sentence on each that could not be used."""


Page = TypeVar("Page", bound=Linked)


def restore(defaults: Page, name: str = "choices") -> tuple[Page, list[str]]:
    """Return this session's choices of that name, at first those of the link, and what was wrong with the link."""
    if name in st.session_state:
        return st.session_state[name], []
    choices, problems = defaults.with_query(st.query_params.to_dict())
    st.session_state[name] = choices
    return choices, problems


def remember(choices: Linked, name: str = "choices") -> None:
    """Keep the choices for the next run and write them into the URL."""
    st.session_state[name] = choices
    query = choices.to_query() | carried()
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def carried() -> dict[str, str]:
    """Return what is in every link of this session, whatever the page."""
    return {name: st.session_state[name] for name in (CHECKPOINT, BACKEND) if st.session_state.get(name)}


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


def read_query(
    query: Mapping[str, str], readers: Mapping[str, tuple[str, Callable[[str], Any]]]
) -> tuple[dict[str, Any], list[str]]:
    """Return the fields that a URL's parameters give, and a sentence on each that could not be used."""
    fields: dict[str, Any] = {}
    problems = []
    for name, text in query.items():
        if name not in readers:
            continue
        field, read = readers[name]
        try:
            fields[field] = read(text)
        except InputError as error:
            problems.append(f"The link's {name}={text[:60]} was left out: {error}.")
    return fields, problems


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return what reads a whole number of this range."""

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


def read_day(text: str) -> dt.date:
    """Read a day such as 2024-05-14."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise InputError("it takes a date, as in 2024-05-14") from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InputError(f"it takes a day from {FIRST_DAY:%Y} to {LAST_DAY:%Y}")
    return day


def _times(text: str) -> tuple[dt.time, ...]:
    try:
        times = tuple(
            dt.time.fromisoformat(part).replace(second=0, microsecond=0, tzinfo=None) for part in text.split(",")
        )
    except ValueError as error:
        raise InputError("it takes times of the day, as in 08:00,23:00") from error
    if len(times) > MAX_TIMES:
        raise InputError(f"it takes {MAX_TIMES} times at most")
    return tuple(dict.fromkeys(times))


def _like(text: str) -> int | None:
    if text not in {ALL, *map(str, LIKE)}:
        raise InputError(f"it takes {', '.join(map(str, LIKE))} or {ALL}")
    return None if text == ALL else int(text)


def read_hours(text: str) -> tuple[int, int]:
    """Read hours of the day such as 7-9, the second excluded."""
    ends = text.split("-")
    if not (len(ends) == 2 and all(end.isascii() and end.isdecimal() for end in ends)):
        raise InputError("it takes hours of the day, as in 7-9")
    first, last = int(ends[0][:4]), int(ends[1][:4])
    if not 0 <= first < last <= 24:
        raise InputError("it takes hours from 0 to 24, the earlier one first")
    return first, last


def one_of(*words: str) -> Callable[[str], str]:
    """Return what reads one of these words."""

    def read(text: str) -> str:
        if text not in words:
            raise InputError(f"it takes {' or '.join(words)}")
        return text

    return read


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
    "duration": ("duration_s", whole_number(MIN_DURATION_S, MAX_DURATION_S)),
    "interval": ("interval_s", _interval),
    "n": ("count", whole_number(1, MAX_COUNT)),
    "seed": ("seed", whole_number(0, MAX_SEED)),
    "temperature": ("temperature", _temperature),
    "show": ("show", lambda text: text == "1"),
    "trip": ("trip", whole_number(1, MAX_COUNT)),
}

_DEPARTURES_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "via": _READERS["via"],
    "day": ("day", read_day),
    "times": ("times", _times),
    "n": ("count", whole_number(1, MAX_COUNT_EACH)),
    "seed": _READERS["seed"],
    "by": ("by", one_of(STREET, BLOCK)),
    "show": _READERS["show"],
}

COMPARISON_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "like": ("count", _like),
    "seed": _READERS["seed"],
    "hours": ("hours", read_hours),
    "scale": ("scale", one_of(LOG, LINEAR)),
    "places": ("places", one_of(CELLS, TOP_CELLS, TOP_ROADS)),
    "show": _READERS["show"],
}
