"""Read Overture's road segments: where they meet is said by connectors, what holds for a part of one by `between`.

https://docs.overturemaps.org/schema/reference/transportation/segment. Two segments that share no connector do not meet,
though their lines cross. A rule that holds at some hours, for some people or for other vehicles than cars is not read,
nor is a prohibited transition. Files that other programs have written hold the nested fields as JSON.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from shapely.ops import substring

from htp.city.lines.joints import Joints
from htp.city.lines.values import LEFT_OUT, UNKNOWN_CLASS, Driven, class_of, name_of, word
from htp.city.simplify import DEFAULT_SPEED_KMH
from htp.city.tags import FASTEST_KMH, KMH_PER_UNIT, SLOWEST_KMH, Oddities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from htp.city.lines.layer import Layer
    from htp.city.lines.options import LineOptions

OVERTURE_CREDIT = "© OpenStreetMap contributors, Overture Maps Foundation"
OVERTURE_LICENCE = "Open Database License (ODbL) 1.0, https://opendatacommons.org/licenses/odbl/1-0/"
CARS = {"vehicle", "motor_vehicle", "car"}
ONLY_SOME = ("during", "using", "recognized", "vehicle")  # scopes of rules that do not hold for all cars at all hours
NOT_THERE = {"is_under_construction", "is_abandoned"}
WAY_OF_OSM = re.compile(r"w(\d+)(?:@\d+)?")

Rule = dict[str, Any]


@dataclass(frozen=True)
class Marks:
    """Where lines have a node, as a share of their length."""

    line: NDArray[np.int64]  # [J]
    share: NDArray[np.float64]  # [J] 0 to 1
    node: NDArray[np.int64]  # [J]

    def on(self, lines: NDArray[np.object_]) -> Joints:
        """Return the places in metres."""
        return Joints.of(self.line, self.share * shapely.length(lines)[self.line], self.node)


def is_overture(layer: Layer) -> bool:
    """Say whether a layer holds Overture's segments."""
    return {"subtype", "class", "connectors"} <= set(layer.fields.columns)


def segments(
    layer: Layer, options: LineOptions, say: Callable[[str], None]
) -> tuple[Layer, pd.DataFrame, Marks | None]:
    """Return the lines for cars, a line a part of a segment with one set of rules, what is known of them, their nodes.

    No nodes where a road lacks connectors: then lines are joined by where they lie.
    """
    layer = layer.take((layer.fields["subtype"] == "road").to_numpy(), "segments that are no roads")
    flags = [_flags(value) for value in _column(layer, "road_flags")]
    highway = _highways(layer, flags, options, say)
    layer = layer.take(highway != LEFT_OUT, "roads that are not for cars by their class")
    highway, odd = highway[highway != LEFT_OUT], Oddities(thing="segment")
    rules = zip(_rules(layer, "access_restrictions"), _rules(layer, "speed_limits"), layer.number, strict=True)
    parts = [(row, *part) for row, said in enumerate(rules) for part in _parts(*said, odd)]
    if odd.count:
        say(f"{layer.source}: {odd.said()}")
    known = pd.DataFrame(parts, columns=["row", "first", "last", "driven", "along_kmh", "against_kmh"])
    open_ = known["driven"] != Driven.closed
    row = known["row"].to_numpy(dtype=np.int64)
    about = known.assign(
        number=_ids(layer)[row], name=_names(layer)[row], highway=highway[row], lanes=np.nan, driven=known["driven"]
    )
    marks = _marks(layer, known)
    if marks is None:
        say(f"{layer.source}: some roads have no connectors; roads are joined where their lines meet.")
    whole = (known["first"] == 0) & (known["last"] == 1)
    lines = [
        line if entire else substring(line, first, last, normalized=True)
        for line, entire, first, last in zip(layer.lines[row], whole, known["first"], known["last"], strict=True)
    ]
    cut = replace(
        layer,
        lines=np.array(lines, dtype=object),
        number=layer.number[row],
        fields=layer.fields.iloc[row].reset_index(),
    )
    say(f"{layer.source}: {len(layer.lines):,} of Overture's roads. Its prohibited transitions are not read.")
    kept = open_.to_numpy()
    return cut.take(kept, "roads that are closed both ways"), about[kept].reset_index(drop=True), _of(marks, kept)


def _of(marks: Marks | None, kept: NDArray[np.bool_]) -> Marks | None:
    if marks is None:
        return None
    stays, number = kept[marks.line], np.cumsum(kept) - 1
    return Marks(number[marks.line[stays]], marks.share[stays], marks.node[stays])


def _highways(
    layer: Layer, flags: list[set[str]], options: LineOptions, say: Callable[[str], None]
) -> NDArray[np.object_]:
    """Return the class of each road, nothing where it is not for cars."""
    given, found, unknown = {word(value): kind for value, kind in options.classes.items()}, [], Counter[str]()
    for kind, subclass, said in zip(_column(layer, "class"), _column(layer, "subclass"), flags, strict=True):
        one = word(kind)
        highway = given.get(one, class_of(one))
        if highway is None:
            unknown[one or "none at all"] += 1
            highway = UNKNOWN_CLASS
        if (subclass == "link" or "is_link" in said) and f"{highway}_link" in DEFAULT_SPEED_KMH:
            highway += "_link"
        found.append(LEFT_OUT if said & NOT_THERE else highway)
    if unknown:
        kind = unknown.most_common(1)[0][0]
        say(
            f"{layer.source}: {unknown.total():,} roads have no known class, most often {kind!r}; they are taken as "
            f"{UNKNOWN_CLASS!r}."
        )
    return np.array(found, dtype=object)


def _parts(
    access: list[Rule], speeds: list[Rule], number: int, odd: Oddities
) -> Iterator[tuple[float, float, Driven, float, float]]:
    """Yield the parts of a road that have one set of rules: from and to which share, way and speeds."""
    access = [rule for rule in access if _heading(rule)]
    speeds = [rule for rule in speeds if rule.get("max_speed")]
    ends = {0.0, 1.0} | {share for rule in (*access, *speeds) for share in _between(rule)}
    for first, last in itertools.pairwise(sorted(ends)):
        middle = (first + last) / 2
        here = [[rule for rule in rules if _holds(rule, middle)] for rules in (access, speeds)]
        kmh = [_kmh(here[1], heading, number, odd) for heading in ("forward", "backward")]
        yield first, last, _driven(here[0]), kmh[0], kmh[1]


def _rules(layer: Layer, column: str) -> Iterator[list[Rule]]:
    """Yield the rules of each road that hold for all cars at all hours."""
    for value in _column(layer, column):
        rules = _nested(value)
        yield [rule for rule in rules if _for_cars(rule.get("when") or {})] if isinstance(rules, list) else []


def _for_cars(when: dict[str, Any]) -> bool:
    mode = when.get("mode")
    return not any(_given(when.get(scope)) for scope in ONLY_SOME) and (
        not _given(mode) or bool(CARS & set(_listed(mode)))
    )


def _given(value: object) -> bool:
    return value is not None and not (hasattr(value, "__len__") and not len(value))


def _heading(rule: Rule) -> str | None:
    return (rule.get("when") or {}).get("heading")


def _between(rule: Rule) -> tuple[float, float]:
    between = rule.get("between")
    return (float(between[0]), float(between[1])) if between is not None and len(between) == 2 else (0.0, 1.0)


def _holds(rule: Rule, share: float) -> bool:
    first, last = _between(rule)
    return first <= share <= last


def _driven(rules: list[Rule]) -> Driven:
    """Return which way a road is driven; access that is denied whatever the heading is not read, as elsewhere."""
    denied = {"forward": False, "backward": False}
    for rule in rules:
        denied[str(_heading(rule))] = rule.get("access_type") == "denied"
    if all(denied.values()):
        return Driven.closed
    return Driven.along if denied["backward"] else Driven.against if denied["forward"] else Driven.both


def _kmh(rules: list[Rule], heading: str, number: int, odd: Oddities) -> float:
    """Return the limit of a heading, one of its own before one of both; NaN where there is none."""
    for rule in sorted(rules, key=lambda rule: _heading(rule) is None):
        if _heading(rule) in (None, heading):
            limit = rule["max_speed"]
            kmh = float(limit["value"]) * KMH_PER_UNIT.get(str(limit.get("unit")).lower(), np.nan)
            if SLOWEST_KMH <= kmh <= FASTEST_KMH:
                return kmh
            odd.add(number, "max_speed", f"{limit['value']} {limit.get('unit')}")
    return np.nan


def _marks(layer: Layer, known: pd.DataFrame) -> Marks | None:
    """Return the nodes of parts: connectors, and where a part of a road follows another."""
    connectors = [_nested(value) for value in layer.fields["connectors"]]
    if not all(isinstance(found, list) and len(found) > 1 for found in connectors):
        return None
    line, share, key = [], [], []
    for at, (row, first, last) in enumerate(known[["row", "first", "last"]].itertuples(index=False)):
        places = {first: f"{row} {first}", last: f"{row} {last}"}
        places |= {float(one["at"]): str(one["connector_id"]) for one in connectors[int(row)]}
        for place, name in places.items():
            if first <= place <= last:
                line.append(at)
                share.append((place - first) / (last - first))
                key.append(name)
    return Marks(np.array(line), np.array(share), pd.factorize(np.array(key, dtype=object))[0].astype(np.int64))


def _names(layer: Layer) -> NDArray[np.object_]:
    names = [_nested(value) for value in _column(layer, "names")]
    found = np.empty(len(names), dtype=object)
    found[:] = [name_of(one.get("primary")) if isinstance(one, dict) else name_of(one) for one in names]
    return found


def _ids(layer: Layer) -> NDArray[np.int64]:
    """Return OpenStreetMap's way where the segment is one, else its number in the file."""
    ids = layer.number.copy()
    for row, value in enumerate(_column(layer, "sources")):
        sources = _nested(value)
        for source in sources if isinstance(sources, list) else []:
            if found := WAY_OF_OSM.fullmatch(str(source.get("record_id"))):
                ids[row] = int(found[1])
                break
    return ids


def _flags(value: object) -> set[str]:
    """Return the flags that hold along a whole road."""
    rules = _nested(value)
    rules = rules if isinstance(rules, list) else []
    return {str(flag) for rule in rules if _between(rule) == (0.0, 1.0) for flag in _listed(rule.get("values"))}


def _listed(value: Any) -> list[Any]:
    return [] if value is None else list(value)


def _column(layer: Layer, name: str) -> list[Any]:
    return layer.fields[name].tolist() if name in layer.fields else [None] * len(layer.lines)


def _nested(value: Any) -> Any:
    """Return a nested value, which may be the text of JSON or NumPy's array of dicts."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value.tolist() if isinstance(value, np.ndarray) else value
