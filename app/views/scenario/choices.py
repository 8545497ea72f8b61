"""Keep what is chosen on the page Scenario: the roads that are changed, the demand, and what the map shows of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from htp.errors import InputError
from htp.planning.scenario.changes import MAX_NAME, Scenario
from htp_app.links import ALL_DAY, FLAG, HOURS, Linked, left_out, linked, one_of
from htp_app.state import SEED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CHANGE, BEFORE, AFTER = "change", "before", "after"
ROADS, CELLS = "roads", "cells"
COUNTS = (200, 500, 1000)  # held-out trips to choose from
MAX_LINK_ROADS = 5000  # that a link may change


@dataclass(frozen=True)
class Demand(Linked):
    """The held-out trips that are sent over the roads."""

    count: int = linked("like", one_of(*COUNTS), COUNTS[0], always=True)
    seed: int = linked("seed", SEED, 1, always=True)
    hours: tuple[int, int] = linked("hours", HOURS, ALL_DAY)  # in which they start, without the second
    show: bool = linked("show", FLAG, default=False)  # whether there are generated trips


@dataclass(frozen=True)
class Planning(Linked):
    """A scenario, the trips that are sent over it, and how the result is looked at."""

    scenario: Scenario = field(default_factory=Scenario)
    demand: Demand = field(default_factory=Demand)
    side: str = linked("side", one_of(CHANGE, BEFORE, AFTER), CHANGE)
    places: str = linked("places", one_of(ROADS, CELLS), ROADS)

    def to_query(self) -> dict[str, str]:
        """Return the choices as the parameters of a URL."""
        speeds: dict[float, list[int]] = {}
        for road, kmh in self.scenario.speeds_kmh:
            speeds.setdefault(kmh, []).append(road)
        roads = {
            "closed": _ranges(self.scenario.closed),
            "speeds": ";".join(f"{kmh:g}:{_ranges(roads)}" for kmh, roads in speeds.items()),
            "name": self.scenario.name,
        }
        return {name: value for name, value in roads.items() if value} | super().to_query() | self.demand.to_query()

    def with_query(self, query: Mapping[str, str]) -> tuple[Self, list[str]]:
        """Return these choices under a URL's parameters, and a sentence on each that could not be used."""
        demand, problems = self.demand.with_query(query)
        scenario = replace(self.scenario, name=query.get("name", "")[:MAX_NAME])
        for name, read in (("speeds", _with_speeds), ("closed", _with_closed)):
            try:
                scenario = read(scenario, query.get(name, ""))
            except InputError as error:
                problems.append(left_out(name, query[name], error))
        found, of_view = super().with_query(query)
        return replace(found, scenario=scenario, demand=demand), [*problems, *of_view]

    def changed(self, scenario: Scenario) -> Planning:
        """Return these choices with another scenario, whose trips nobody has asked for yet."""
        return replace(self, scenario=scenario, demand=replace(self.demand, show=False))


def _with_closed(scenario: Scenario, text: str) -> Scenario:
    return scenario.close(_roads(text))


def _with_speeds(scenario: Scenario, text: str) -> Scenario:
    for part in filter(None, text.split(";")):
        kmh, colon, roads = part.partition(":")
        try:
            limit = float(kmh)
        except ValueError as error:
            raise InputError("it takes km/h and roads, as in 30:12,15-18") from error
        if not colon:
            raise InputError("it takes km/h and roads, as in 30:12,15-18")
        scenario = scenario.set_speed(_roads(roads), limit)
    return scenario


def _roads(text: str) -> list[int]:
    """Read road numbers and ranges of them."""
    roads: list[int] = []
    for part in filter(None, text.split(",")):
        ends = part.split("-")
        if len(ends) > 2 or not all(end.isascii() and end.isdecimal() and len(end) < 10 for end in ends):
            raise InputError("it takes road numbers, as in 12,15-18")
        first, last = int(ends[0]), int(ends[-1])
        if last - first + len(roads) >= MAX_LINK_ROADS:
            raise InputError(f"it takes {MAX_LINK_ROADS:,} roads at most")
        roads += range(first, last + 1)
    return roads


def _ranges(roads: Iterable[int]) -> str:
    """Write road numbers in order, neighbours as a range."""
    roads = sorted(roads)
    starts = [road for before, road in pairwise([-2, *roads]) if road != before + 1]
    stops = [road for road, after in pairwise([*roads, roads[-1] + 2]) if after != road + 1] if roads else []
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, stops, strict=True))
