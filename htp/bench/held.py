"""Say how a service held up under load: what was answered, what was turned away, how long it took, its memory."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

QUANTILES = (0.5, 0.95, 0.99)
OK, FULL, NONE = 200, 429, 0  # statuses: trips, the queue is full, no answer


@dataclass(frozen=True)
class Answered:
    """How one request went."""

    status: int
    seconds: float
    whole: bool  # it holds as many trips as were asked for
    says_when: bool  # it has a Retry-After


@dataclass(frozen=True)
class Point:
    """The memory of the service after a number of requests."""

    requests: int
    bytes: int


@dataclass(frozen=True)
class Held:
    """What came of a load."""

    answers: tuple[Answered, ...]
    memory: tuple[Point, ...]
    trips: int  # in each request
    seconds: float  # until the last answer
    capacity_per_s: float | None  # requests that are answered where all wait for their answers; None: not measured

    @property
    def accepted(self) -> list[Answered]:
        """Requests that got all their trips."""
        return [one for one in self.answers if one.status == OK and one.whole]

    @property
    def shed(self) -> list[Answered]:
        """Requests that were turned away as they should be: 429, and when to come back."""
        return [one for one in self.answers if one.status == FULL and one.says_when]

    @property
    def failed(self) -> dict[str, int]:
        """Everything else, by what it was."""
        good = {id(one) for one in (*self.accepted, *self.shed)}
        return dict(Counter(_name(one) for one in self.answers if id(one) not in good))

    def facts(self) -> dict[str, Any]:
        """Return the figures."""
        return {
            "requests": len(self.answers),
            "trips_a_request": self.trips,
            "seconds": round(self.seconds, 1),
            "capacity_per_s": None if self.capacity_per_s is None else round(self.capacity_per_s, 1),
            "asked_per_s": round(len(self.answers) / self.seconds, 1),
            "accepted": len(self.accepted),
            "shed": len(self.shed),
            "failed": self.failed,
            "accepted_s": _quantiles(self.accepted),
            "shed_s": _quantiles(self.shed),
            "memory": [asdict(point) for point in self.memory],
        }

    def to_json(self) -> str:
        """Return the figures as JSON."""
        return json.dumps(self.facts(), indent=2) + "\n"

    def print(self, console: Console | None = None) -> None:
        """Print the figures."""
        facts, table = self.facts(), Table("requests", title="Under load", title_justify="left")
        for column in ("number", "a second", *(f"{100 * q:.0f} % within" for q in QUANTILES)):
            table.add_column(column, justify="right")
        for name, found in (("accepted", self.accepted), ("turned away (429)", self.shed)):
            times = [f"{1000 * seconds:,.0f} ms" for seconds in _quantiles(found).values()] or ["–"] * len(QUANTILES)
            table.add_row(name, f"{len(found):,}", f"{len(found) / self.seconds:,.1f}", *times)
        lines = [f"{facts['requests']:,} requests of {self.trips} trips in {self.seconds:,.0f} s."]
        if self.capacity_per_s is not None:
            lines.append(f"Capacity: {self.capacity_per_s:,.1f} requests a second; asked: {facts['asked_per_s']:,.1f}.")
        if self.memory:
            first, last = self.memory[0], self.memory[-1]
            lines.append(
                f"Memory: {first.bytes / 2**20:,.0f} MiB after {first.requests:,} requests, "
                f"{last.bytes / 2**20:,.0f} MiB after {last.requests:,}."
            )
        failed = ", ".join(f"{number:,} × {name}" for name, number in self.failed.items())
        lines.append(f"Failed: {failed or 'none'}.")
        out = console or Console()
        out.print(table)
        out.print("\n".join(lines), style="dim", highlight=False)


def _name(one: Answered) -> str:
    if one.status == NONE:
        return "no answer"
    if one.status == OK:
        return "too few trips"
    return "429 without Retry-After" if one.status == FULL else str(one.status)


def _quantiles(answers: Sequence[Answered]) -> dict[str, float]:
    seconds = [one.seconds for one in answers]
    return {f"{q:g}": round(float(np.quantile(seconds, q)), 4) for q in QUANTILES} if seconds else {}
