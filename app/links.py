"""Put a page's choices into its link and read them back: what each field of a dataclass is called and may be.

A field that is at its default stays out of the link, unless it says `always`: then a link holds its value even where a
later version begins with another.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LonLat = tuple[float, float]  # degrees
Value = TypeVar("Value")

FIRST_DAY, LAST_DAY = dt.date(1990, 1, 1), dt.date(2099, 12, 31)
ALL_DAY = (0, 24)  # hours
ALL = "all"
SHOWN = 60  # letters of what could not be read


@dataclass(frozen=True)
class LinkType(Generic[Value]):
    """What a field holds: how its text in a link is read, or refused by `InputError`, and written."""

    read: Callable[[str], Value]
    write: Callable[[Value], str] = str


def linked(name: str, kind: LinkType[Any], default: Any = MISSING, *, always: bool = False) -> Any:
    """Return a field of a dataclass that links call `name`."""
    return field(default=default, metadata={"name": name, "kind": kind, "always": always or default is MISSING})


@dataclass(frozen=True)
class Linked:
    """Choices of a page that a link can carry: a dataclass whose fields are `linked`."""

    def to_query(self) -> dict[str, str]:
        """Return the choices as the parameters of a URL."""
        found: dict[str, str] = {}
        for one in _linked_fields(self):
            value = getattr(self, one.name)
            if one.metadata["always"] or value != one.default:
                found[one.metadata["name"]] = one.metadata["kind"].write(value)
        return found

    def with_query(self, query: Mapping[str, str]) -> tuple[Self, list[str]]:
        """Return these choices under a URL's parameters, and a sentence on each that could not be used."""
        known = {one.metadata["name"]: one for one in _linked_fields(self)}
        chosen: dict[str, Any] = {}
        problems = []
        for name, text in query.items():
            if name in known:
                try:
                    chosen[known[name].name] = known[name].metadata["kind"].read(text)
                except InputError as error:
                    problems.append(left_out(name, text, error))
        return replace(self, **chosen), problems


def left_out(name: str, text: str, why: object) -> str:
    """Say that a parameter of a link could not be used."""
    return f"The link's {name}={text[:SHOWN]} was left out: {str(why).rstrip('.')}."


def _linked_fields(choices: Linked) -> list[Field[Any]]:
    return [one for one in fields(choices) if "kind" in one.metadata]


def whole_number(low: int, high: int) -> LinkType[int]:
    """Take a whole number of this range."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and low <= int(text[:12]) <= high):
            raise InputError(f"it takes a whole number from {low} to {high}")
        return int(text)

    return LinkType(read)


def number(low: float, high: float) -> LinkType[float]:
    """Take a number of this range."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise InputError(f"it takes a number from {low:g} to {high:g}")
        return value

    return LinkType(read, "{:g}".format)


def one_of(*words: object, unit: str = "") -> LinkType[Any]:
    """Take one of these values, written as they are."""
    known = {str(word): word for word in words}

    def read(text: str) -> object:
        if text not in known:
            *most, last = known
            raise InputError(f"it takes {', '.join(most)} or {last}{unit}")
        return known[text]

    return LinkType(read)


def counts(*numbers: int) -> LinkType[int | None]:
    """Take one of these numbers, or all, which is None."""
    kind = one_of(*numbers, ALL)

    def read(text: str) -> int | None:
        value = kind.read(text)
        return None if value == ALL else value

    return LinkType(read, lambda count: ALL if count is None else str(count))


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


def _day(
    text: str, read: Callable[[str], dt.date] = dt.date.fromisoformat, like: str = "date, as in 2024-05-14"
) -> Any:
    try:
        found = read(text)
    except ValueError as error:
        raise InputError(f"it takes a {like}") from error
    if not FIRST_DAY <= dt.date(found.year, found.month, found.day) <= LAST_DAY:
        raise InputError(f"it takes a day from {FIRST_DAY:%Y} to {LAST_DAY:%Y}")
    return found


def _minute(text: str) -> dt.datetime:
    when: dt.datetime = _day(text, dt.datetime.fromisoformat, "date and time, as in 2024-05-14T08:00")
    return when.replace(tzinfo=None, second=0, microsecond=0)


def _hours(text: str) -> tuple[int, int]:
    ends = text.split("-")
    if not (len(ends) == 2 and all(end.isascii() and end.isdecimal() for end in ends)):
        raise InputError("it takes hours of the day, as in 7-9")
    first, last = int(ends[0][:4]), int(ends[1][:4])
    if not 0 <= first < last <= 24:
        raise InputError("it takes hours from 0 to 24, the earlier one first")
    return first, last


def times(most: int) -> LinkType[tuple[dt.time, ...]]:
    """Take times of the day, each once."""

    def read(text: str) -> tuple[dt.time, ...]:
        try:
            found = [dt.time.fromisoformat(part) for part in text.split(",")]
        except ValueError as error:
            raise InputError("it takes times of the day, as in 08:00,23:00") from error
        if len(found) > most:
            raise InputError(f"it takes {most} times at most")
        return tuple(dict.fromkeys(time.replace(second=0, microsecond=0, tzinfo=None) for time in found))

    return LinkType(read, lambda chosen: ",".join(f"{time:%H:%M}" for time in chosen))


FLAG = LinkType(lambda text: text == "1", lambda flag: "1" if flag else "0")
WAYPOINTS = LinkType(parse_waypoints, lambda points: ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in points))
DAY = LinkType[dt.date](_day, dt.date.isoformat)
MINUTE = LinkType(_minute, lambda when: when.isoformat(timespec="minutes"))
HOURS = LinkType(_hours, lambda hours: f"{hours[0]}-{hours[1]}")  # the second is not among them
