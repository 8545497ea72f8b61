"""Part words into origin, places on the way, destination and day: of all ways, the one that is most like names.

`from X to Y`, `X – Y`, `de X a Y via Z viernes`: words such as "a" or "de" may be a mark or belong to a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING

from htp.words.times import day_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from htp.words.places import Gazetteer

START, VIA, END, DAY = "start", "via", "end", "day"
MOST = {START: 3, VIA: 2, END: 6, DAY: 3}  # marks of a kind that are looked at: people write fewer
WEAK_COST, STRONG_GAIN = 1.0, 0.5  # points of a mark: "a" may be nothing, "from" hardly
MARKS = {
    START: re.compile(
        r"\b(?:from|desde|between|entre|(?:starting|leaving|beginning|departing)(?:\s+(?:at|in|from))?|"
        r"(?:saliendo|partiendo|salida)\s+(?:de|desde)|(?:partindo|saindo|partida|saida)\s+d[aeo]s?)\b|"
        r"^\s*(?:d[aeo]|del|dos|das)\b"
    ),
    VIA: re.compile(r"\b(?:via|through|por|pel[ao]s?|(?:pasando|passando)\s+p(?:or|el[ao]s?)|passing)\b"),
    END: re.compile(
        r"\b(?:(?:arriving|llegada|chegada|llegando|chegando)\s+(?:at|in|a|al|aos?|en|em|n[ao])|"
        r"to|towards?|until|hasta|hacia|ate|para|al|aos?|a)\b|\s[-–—]\s|-+>|[→⇒]"
    ),
}
BETWEEN, AND = re.compile(r"between|entre"), re.compile(r"\b(?:and|y|e)\b")
# marks that often mean nothing
WEAK = re.compile(r"\s*(?:d[aeo]|del|dos|das|a|al|aos?|por|para|pel[ao]s?|and|y|e|[-–—])\s*")


@dataclass(frozen=True)
class Part:
    """A stretch of the line with what it stands for; None: nothing that is known."""

    begin: int
    end: int
    words: str  # folded
    role: str | None


@dataclass(frozen=True)
class _Mark:
    begin: int  # in the line
    end: int
    role: str
    weak: bool = False


def best_parts(folded: str, span: tuple[int, int], places: Gazetteer, is_day: Callable[[str], bool]) -> list[Part]:
    """Return the parts of a stretch of the folded line."""
    begin, end = span
    text = folded[begin:end]
    marks = _marks(text, begin, is_day)
    best, found = -1.0, [Part(begin, end, text, None)]
    for chosen in _choices(marks):
        parts = _parts(folded, span, chosen)
        if parts is None:
            continue
        score = _score(parts, places) - sum(WEAK_COST if mark.weak else -STRONG_GAIN for mark in chosen)
        if score > best:
            best, found = score, parts
    if any(mark.role != DAY and not mark.weak for mark in marks):
        return found
    unknown = all(places.score(part.words) < 1 for part in found if part.role in {START, VIA, END})
    return _without_route(found, folded, span) if unknown else found


def _marks(text: str, begin: int, is_day: Callable[[str], bool]) -> list[_Mark]:
    marks = []
    for role, pattern in MARKS.items():
        found = [match.span() for match in pattern.finditer(text)]
        if role == END and BETWEEN.search(text):
            found += [match.span() for match in AND.finditer(text)]
        marks += [_Mark(begin + a, begin + b, role, bool(WEAK.fullmatch(text[a:b]))) for a, b in found[: MOST[role]]]
    days = [(a, b) for a, b in day_spans(text) if is_day(text[a:b])]
    return marks + [_Mark(begin + a, begin + b, DAY) for a, b in days[-MOST[DAY] :]]


def _choices(marks: list[_Mark]) -> Iterator[tuple[_Mark, ...]]:
    """Yield every choice of marks that may stand together, in their order, the empty one first."""
    of_role = [[None, *(mark for mark in marks if mark.role == role)] for role in (START, VIA, END, DAY)]
    for some in product(*of_role):
        chosen = sorted((mark for mark in some if mark is not None), key=lambda mark: mark.begin)
        if all(one.end <= two.begin for one, two in pairwise(chosen)):
            yield tuple(chosen)


def _parts(folded: str, span: tuple[int, int], chosen: tuple[_Mark, ...]) -> list[Part] | None:
    """Return the parts that the marks make of a stretch; None where one of them is empty."""
    roles = {mark.role for mark in chosen}
    first = START if END in roles and START not in roles and chosen[0].role in {END, VIA} else None
    parts = []
    at, role = span[0], first
    for mark in (*chosen, _Mark(span[1], span[1], "")):
        words = folded[at : mark.begin]
        if words.strip():
            parts.append(Part(at, mark.begin, words, role))
        elif role is not None and not (role is first and at == span[0]):
            return None
        if mark.role == DAY:
            parts.append(Part(mark.begin, mark.end, folded[mark.begin : mark.end], DAY))
        at, role = mark.end, None if mark.role == DAY else mark.role
    return parts


def _score(parts: list[Part], places: Gazetteer) -> float:
    """Return how much of the letters is understood, 0 to some 100."""
    letters, total = 0, 0.0
    for part in parts:
        size = len(part.words.strip())
        letters += size
        total += size * (100.0 if part.role == DAY else places.score(part.words) if part.role else 0.0)
    return total / max(letters, 1)


def _without_route(parts: list[Part], folded: str, span: tuple[int, int]) -> list[Part]:
    """Return a stretch in which only a day may have been understood as that day and what stands around it."""
    found, at = [], span[0]
    for day in [part for part in parts if part.role == DAY]:
        found += [Part(at, day.begin, folded[at : day.begin], None), day]
        at = day.end
    return [part for part in (*found, Part(at, span[1], folded[at : span[1]], None)) if part.words.strip()]
