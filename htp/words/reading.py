"""Understand a line of words: take out the quantities and the time, then read what is left as a route and a day.

A street may be called 25 de Abril, Santo Domingo or Acceso a Puerto: which "a" parts origin from destination, and
which "domingo" is a day, is decided by the names of the city: of all ways to part the words, the one is taken whose
parts are most like names. Knows neither what can be generated nor who asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from htp.words.line import POINT, Wording
from htp.words.places import Gazetteer, Spot
from htp.words.quantities import take_count, take_duration_s, take_interval_s, take_seed
from htp.words.route import END, START, VIA, Part, best_parts
from htp.words.times import DATE, MONTH, NTH, WEEKDAY, contradicts, day_of, take_clock

if TYPE_CHECKING:
    import datetime as dt

    from htp.city.names import Names

PAIR = re.compile(r"(?<![\w.])(-?\d{1,3}\.\d{2,12})\s*[,\s]\s*(-?\d{1,3}\.\d{2,12})(?![\w.]\d)")
COMMAS = (  # within a day; the T of 2024-05-17T17:30 is one as well
    re.compile(r"\d{4}-\d{2}-\d{2}(t)\d{2}:\d{2}"),
    re.compile(rf"\b{WEEKDAY}(,)\s*(?:the\s+|dia\s+|el\s+|o\s+)?{DATE}"),
    re.compile(rf"\b{MONTH}\s+\d{{1,2}}{NTH}(,)\s*\d{{4}}"),
)
LINKING = re.compile(
    r"^(?:from|de|del|do|da|dos|das|al|ao|aos|à|às)\s+", re.IGNORECASE
)  # that a quotation goes without
FILLERS = frozenset(
    re.findall(
        r"\w+",
        "please generate make show me give i d want would like need can could simulate some gps and then on at in the"
        " with starting leaving departing departure around about going go driving drive trip trips point points travel"
        " time por favor genera generar haz quiero dame muestra gustaria necesito con y saliendo salida sale salen"
        " partida partiendo gera gerar faz quero mostra gostaria preciso com e saindo saida sai saem partindo viajes"
        " viagens el la los las un una o a os as um uma de del do da em en no na ida",
    )
)


@dataclass(frozen=True)
class Unread:
    """Words that were not understood, and the names that are nearest to them where they stand for a place."""

    words: str
    near: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()  # two streets that were taken for a corner, and do not meet


@dataclass(frozen=True)
class Read:
    """What a line of words says; None: nothing."""

    count: int | None = None
    start: Spot | None = None
    via: tuple[Spot, ...] = ()
    end: Spot | None = None
    day: dt.date | None = None
    clock: dt.time | None = None  # of departure, in the city's time
    duration_s: float | None = None
    interval_s: float | None = None
    seed: int | None = None
    unread: tuple[Unread, ...] = ()
    weekday_differs: bool = False  # from that of the date: the date counts
    cut: bool = False  # whether the line was too long to be read to its end


@dataclass
class _Route:
    """Collects what fragments say of the route and the day."""

    spots: dict[str, list[Spot]] = field(default_factory=lambda: {START: [], VIA: [], END: []})
    day: dt.date | None = None
    weekday_differs: bool = False
    unread: list[Unread] = field(default_factory=list)


def understand(text: str, names: Names, base: dt.date, today: dt.date) -> Read:
    """Return what a line of any text says of trips in a city; nothing that anybody writes raises.

    A weekday is the first from `base` on; `today` is what tomorrow follows.
    """
    line = Wording(text)
    points = _take_points(line)
    _join_days(line)
    seed, interval_s, count = take_seed(line), take_interval_s(line), take_count(line)
    clock, duration_s = take_clock(line), take_duration_s(line)
    places = Gazetteer(names, points)
    route = _Route()
    for begin, end in list(line.fragments()):
        _read_fragment(line, (begin, end), places, route, base, today)
    spots = route.spots
    start, last = (spots[role][0] if spots[role] else None for role in (START, END))
    return Read(
        count,
        start,
        tuple(spots[VIA]),
        last,
        route.day,
        clock,
        duration_s,
        interval_s,
        seed,
        tuple(route.unread),
        route.weekday_differs,
        bool(line.cut),
    )


def _take_points(line: Wording) -> dict[int, tuple[float, float]]:
    """Mark pairs of coordinates; return them by where they begin."""
    points = {}
    for found in PAIR.finditer(line.folded):
        points[found.start()] = (float(found[1]), float(found[2]))
        line.remove(*found.span(), by=POINT)
    return points


def _join_days(line: Wording) -> None:
    """Take the comma out of "Friday, 17 May" and "May 17, 2024"."""
    for pattern in COMMAS:
        for found in pattern.finditer(line.folded):
            line.remove(*found.span(1), by=" ")


def _read_fragment(
    line: Wording, span: tuple[int, int], places: Gazetteer, route: _Route, base: dt.date, today: dt.date
) -> None:
    """Read a stretch of the line that nothing parts."""

    def read_day(words: str) -> dt.date | None:
        return day_of(words, base, today)

    for part in best_parts(line.folded, span, places, lambda words: read_day(words) is not None):
        words = line.text[part.begin : part.end].strip(" '\"“”«»()[]:")
        if part.role in route.spots:
            _take_place(part, words, places, route)
        elif part.role is not None:
            day = read_day(line.folded[part.begin : part.end])
            if route.day is None:
                route.day = day
                route.weekday_differs = day is not None and contradicts(line.folded[part.begin : part.end], day)
            elif day != route.day:
                route.unread.append(Unread(words))
        elif meaningful(line.folded[part.begin : part.end]):
            route.unread.append(Unread(words))


def _take_place(part: Part, words: str, places: Gazetteer, route: _Route) -> None:
    assert part.role is not None
    words = LINKING.sub("", words)
    spot = places.spot(part.begin, part.words, words)
    taken = route.spots[part.role]
    if spot is None:
        if meaningful(part.words):
            route.unread.append(Unread(words, places.near(part.words), places.apart(part.words)))
    elif taken and part.role != VIA:
        route.unread.append(Unread(words))  # a second origin or destination
    else:
        taken.append(spot)


def meaningful(words: str) -> bool:
    """Return whether folded words say anything beside "please" and the like."""
    return any(word not in FILLERS for word in re.findall(r"\w+", words)) or bool(
        re.search(r"[^\s\w'\"()\[\]:–—-]", words)
    )
