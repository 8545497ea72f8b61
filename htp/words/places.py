"""Say where words are: a name, a corner of two streets, a zone, or coordinates."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from htp.city.addresses import corner_of
from htp.city.names import ENOUGH, STREET
from htp.words.line import POINT

if TYPE_CHECKING:
    from htp.city.names import Found, Names

LonLat = tuple[float, float]  # degrees

AND = re.compile(r"\s(?:and|with|at|y|con|e|com|x|esq(?:uina)?(?:\s+(?:con|com|de|da))?)\s|\s?[&/@×+]\s?")
BEFORE = re.compile(
    r"^\s*(?:(?:the|la|el|o|a|na|no|en|em|in|at)\s+)*(?:(?:corner|crossing|junction|intersection)\s+of|"
    r"(?:esquina|cruce|interseccion)\s+(?:de|del)|(?:esquina|cruzamento|intersecao)\s+(?:de|d[ao]s?))\s+"
)
ZONE_WORDS = re.compile(r"^\s*(?:the\s+|la\s+|a\s+)?(?:zone|zona|district)\s+(\S{1,40})\s*$")
SURE = 96.0  # points from which a name is not looked at as a corner of two
NO_CORNER = 20.0  # points less for two names that do not meet


@dataclass(frozen=True)
class Spot:
    """A place that was named: how it is called, where it is, and what else the words may have meant."""

    words: str  # as they were written
    name: str
    lonlat: LonLat
    given: bool = False  # as coordinates, of which the order is not known
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Meant:
    """What words stand for, before anybody asks where that is."""

    score: float
    one: Found | None = None
    other: Found | None = None  # the second street of a corner
    corner: LonLat | None = None


class Gazetteer:
    """Looks up the words of one line; remembers what it has looked up."""

    def __init__(self, names: Names, points: dict[int, LonLat]) -> None:
        """Take the city's names and the pairs of coordinates by where they begin in the line."""
        self._names, self._points = names, points
        self._known: dict[str, _Meant] = {}
        self._corners: dict[tuple[str, str], LonLat | None] = {}

    def score(self, words: str) -> float:
        """Return how much folded words are a place of the city, 0 to some 100."""
        return 100.0 if words.strip().strip(POINT) == "" and POINT in words else self._meant(words).score

    def spot(self, begin: int, words: str, written: str) -> Spot | None:
        """Return the place of folded words that begin there in the line, None where they are none."""
        if POINT in words:
            at = begin + words.index(POINT)
            point = self._points.get(at)
            return None if point is None else Spot(written, f"{point[0]:g}, {point[1]:g}", point, given=True)
        meant = self._meant(words)
        if meant.one is None or meant.score < ENOUGH:
            return None
        name = meant.one.named.name
        if meant.other is not None:
            if meant.corner is None:
                return None
            return Spot(written, f"{name} / {meant.other.named.name}", meant.corner)
        return Spot(written, name, self._names.place_of(meant.one.named), others=meant.one.others)

    def near(self, words: str) -> tuple[str, ...]:
        """Return names that may have been meant by folded words that are none."""
        return self._names.like(words)

    def apart(self, words: str) -> tuple[str, ...]:
        """Return the two streets that folded words name as a corner which is none; nothing where they do not."""
        meant = self._meant(words)
        if meant.one is None or meant.other is None or meant.corner is not None:
            return ()
        return (meant.one.named.name, meant.other.named.name)

    def _meant(self, words: str) -> _Meant:
        if words not in self._known:
            self._known[words] = self._look_up(words)
        return self._known[words]

    def _look_up(self, words: str) -> _Meant:
        zone = ZONE_WORDS.match(words)
        found = self._names.find(f"zone {zone[1]}" if zone else words)
        whole = _Meant(0.0) if found is None else _Meant(found.score, found)
        if whole.score >= SURE:
            return whole
        asked = BEFORE.sub("", words)
        cuts = list(AND.finditer(asked))[:4]
        corners = [self._corner(asked[: cut.start()], asked[cut.end() :]) for cut in cuts]
        return max([whole, *corners], key=lambda one: one.score)

    def _corner(self, words: str, other_words: str) -> _Meant:
        one, other = self._names.find(words), self._names.find(other_words)
        if one is None or other is None or {one.named.kind, other.named.kind} != {STREET}:
            return _Meant(0.0)
        score = (one.score * len(words) + other.score * len(other_words)) / (len(words) + len(other_words))
        for name in (one.named.name, *one.others):
            for second in (other.named.name, *other.others):
                at = self._meeting(name, second)
                if at is not None:
                    return _Meant(score, _renamed(one, name), _renamed(other, second), at)
        return _Meant(score - NO_CORNER, one, other)

    def _meeting(self, name: str, other: str) -> LonLat | None:
        if (name, other) not in self._corners:
            self._corners[name, other] = None if name == other else corner_of(self._names.city, name, other)
        return self._corners[name, other]


def _renamed(found: Found, name: str) -> Found:
    """Return what was found under another of its names that are as good."""
    return replace(found, named=replace(found.named, name=name))
