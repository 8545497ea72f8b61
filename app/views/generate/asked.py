"""Turn what a line of words says into choices of the page, within the limits of its controls, and into sentences."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from htp.recording import minutes_of
from htp.words.line import LONGEST
from htp_app.links import FIRST_DAY, LAST_DAY
from htp_app.plan import oriented
from htp_app.state import MAX_COUNT, MAX_INTERVAL_S, MAX_SEED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from htp.city.names import Names
    from htp.recording import Recording
    from htp.words.places import Spot
    from htp.words.reading import Read
    from htp_app.links import LonLat
    from htp_app.state import Choices

VIA, COUNT, DAY, CLOCK, DURATION, INTERVAL, SEED = "via", "count", "day", "clock", "duration", "interval", "seed"
SHOWN, QUOTED = 60, 4  # letters of what was not understood, and how many such words
NEED_ORIGIN = "Where the trips start is not said: name a place to drive from as well, or click it on the map."


@dataclass(frozen=True)
class Chip:
    """Something that was understood: what it sets, what that was before."""

    field: str
    label: str
    value: Any
    before: Any

    def holds(self, choices: Choices) -> bool:
        """Whether the choices are what was asked for."""
        return bool(value_of(choices, self.field) == self.value)


@dataclass(frozen=True)
class Understood:
    """A line of words with what was understood, and sentences on what was not."""

    words: str
    chips: tuple[Chip, ...] = ()
    sentences: tuple[str, ...] = ()
    off: frozenset[str] = frozenset()  # fields whose chips somebody has taken away

    def on(self, choices: Choices) -> list[str]:
        """Return the labels of the chips that the choices still follow."""
        return [chip.label for chip in self.chips if chip.field not in self.off and chip.holds(choices)]


def answer(text: str, names: Names, choices: Choices, recording: Recording, today: dt.date) -> Understood:
    """Read a line of words, whatever it is; `choices` are those that stand on the page."""
    from htp.words.reading import understand  # noqa: PLC0415  its patterns take 40 ms that no start waits for

    read = understand(text, names, choices.depart.date(), today)
    chips: list[Chip] = []
    sentences: list[str] = []
    for field, label, value, problem in _fields(read, choices, recording):
        if problem:
            sentences.append(problem)
        else:
            chips.append(Chip(field, label, value, value_of(choices, field)))
    via, label, problem = _route(read, choices, names.city.bounds)
    if via != choices.via or label:
        chips.insert(0, Chip(VIA, label, via, choices.via))
    sentences += [problem] if problem else []
    sentences += _unclear(read)
    if not chips and not sentences:
        sentences.append("Nothing to go by was found in these words; say where from, where to and when.")
    return Understood(text[:LONGEST], tuple(chips), tuple(sentences))


def value_of(choices: Choices, field: str) -> Any:
    """Return what the choices say of a field."""
    if field == DAY:
        return choices.depart.date()
    if field == CLOCK:
        return choices.depart.time()
    return getattr(choices, {DURATION: "duration_s", INTERVAL: "interval_s"}.get(field, field))


def with_value(choices: Choices, field: str, value: Any) -> Choices:
    """Return the choices with another value of a field."""
    if field == DAY:
        return replace(choices, depart=dt.datetime.combine(value, choices.depart.time()))
    if field == CLOCK:
        return replace(choices, depart=dt.datetime.combine(choices.depart.date(), value))
    changed: dict[str, Any] = {{DURATION: "duration_s", INTERVAL: "interval_s"}.get(field, field): value}
    return replace(choices, show=False if field == VIA else choices.show, **changed)


def _fields(read: Read, choices: Choices, recording: Recording) -> Iterator[tuple[str, str, Any, str]]:
    """Yield field, label, value, and a sentence where the value is beyond what its control takes."""
    if read.count is not None:
        fits = 1 <= read.count <= MAX_COUNT
        problem = f"{read.count:,} trips are not possible: 1 to {MAX_COUNT} at a time; it stays at {choices.count}."
        yield COUNT, f"{read.count} trip{'s' if read.count != 1 else ''}", read.count, "" if fits else problem
    if read.day is not None:
        fits = FIRST_DAY <= read.day <= LAST_DAY
        problem = f"{read.day:%-d %B %Y} is out of reach: days from {FIRST_DAY:%Y} to {LAST_DAY:%Y} can be chosen."
        yield DAY, f"{read.day:%a %-d %b %Y}", read.day, "" if fits else problem
    if read.clock is not None:
        yield CLOCK, f"{read.clock:%H:%M}", read.clock, ""
    if read.duration_s is not None:
        minutes = f"{minutes_of(min(read.duration_s, 1e9))} min"
        fits = recording.shortest_s <= read.duration_s <= recording.longest_s
        problem = f"A travel time of {minutes} is not possible: the model makes trips of {recording.minutes}."
        yield DURATION, f"in {minutes}", round(read.duration_s) if fits else None, "" if fits else problem
    if read.interval_s is not None:
        yield _interval(read.interval_s, recording)
    if read.seed is not None:
        problem = "" if read.seed <= MAX_SEED else f"A seed of {read.seed} is not possible: 0 to {MAX_SEED}."
        yield SEED, f"seed {read.seed}", read.seed, problem


def _interval(interval_s: float, recording: Recording) -> tuple[str, str, int | None, str]:
    fits = interval_s == recording.interval_s or (interval_s.is_integer() and 1 <= interval_s <= MAX_INTERVAL_S)
    problem = f"A point every {interval_s:g} s is not possible: whole seconds from 1 to {MAX_INTERVAL_S}."
    value = int(interval_s) if fits and interval_s != recording.interval_s else None  # None: the model's own
    return INTERVAL, f"every {interval_s:g} s", value, "" if fits else problem


def _route(
    read: Read, choices: Choices, bounds: tuple[float, float, float, float]
) -> tuple[tuple[LonLat, ...], str, str]:
    """Return the route's points, the chip's label ("" without a route) and a sentence on what is missing.

    An end that is not said stays where it is on the page.
    """
    start, end = ([] if spot is None else [_place(spot, bounds)] for spot in (read.start, read.end))
    between = [_place(spot, bounds) for spot in read.via]
    if not (start or end or between):
        return choices.via, "", ""
    if not start and not choices.via:
        return choices.via, "", NEED_ORIGIN
    via = [*(start or choices.via[:1]), *(between or (() if start and end else choices.via[1:-1]))]
    via += end or choices.via[1:][-1:]
    names = [spot.name for spot in (read.start, *read.via, read.end) if spot is not None]
    label = " → ".join(names) if start else f"→ {' → '.join(names)}"
    return tuple(via), label if end else f"{label} →", ""


def _place(spot: Spot, bounds: tuple[float, float, float, float]) -> LonLat:
    points, _ = oriented((spot.lonlat,), bounds) if spot.given else ((spot.lonlat,), False)
    return points[0]


def _unclear(read: Read) -> Iterator[str]:
    """Yield a sentence on each thing that was understood in part or not at all."""
    for spot in (read.start, *read.via, read.end):
        if spot is not None and spot.others:
            yield f"“{_short(spot.words)}” is {spot.name} here; it may also be {_either(spot.others)}."
    if read.weekday_differs and read.day is not None:
        yield f"{read.day:%-d %B %Y} is a {read.day:%A}; the date was taken."
    rest = []
    for unread in read.unread:
        if unread.apart:
            yield f"{unread.apart[0]} and {unread.apart[1]} do not meet; name another corner."
        elif unread.near:
            yield f"“{_short(unread.words)}” is no name here; {_nearest(unread.near)}."
        else:
            rest.append(f"“{_short(unread.words)}”")
    quoted = list(dict.fromkeys(rest))
    if quoted:
        more = f" and {len(quoted) - QUOTED} more" if len(quoted) > QUOTED else ""
        yield f"Not understood: {', '.join(quoted[:QUOTED])}{more}."
    if read.cut:
        yield f"The first {LONGEST} letters were read."


def _either(names: tuple[str, ...], word: str = "or") -> str:
    *most, last = names
    return f"{', '.join(most)} {word} {last}" if most else last


def _nearest(names: tuple[str, ...]) -> str:
    return f"the nearest is {names[0]}" if len(names) == 1 else f"the nearest are {_either(names, 'and')}"


def _short(words: str) -> str:
    return words if len(words) <= SHOWN else f"{words[:SHOWN]}…"
