"""Say how a service held up under load, by address: what was answered, turned away or failed, how long it took."""

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
OK, FULL, NONE = 200, 429, 0  # statuses: an answer, the queue is full, no answer


@dataclass(frozen=True)
class Answered:
    """How one request went."""

    kind: str  # its address, and whether it was a heavy one
    status: int
    seconds: float
    whole: bool  # it is what was asked for, all of it
    retry_s: int | None = None  # what its Retry-After says


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
    deadline_s: float  # of the service: what comes later has failed
    seconds: float  # until the last answer
    capacity_per_s: float | None  # requests that are answered where all wait for their answers; None: not measured

    @property
    def accepted(self) -> list[Answered]:
        """Requests that got all they asked for, and in time."""
        return [one for one in self.answers if one.whole and one.seconds <= self.deadline_s]

    @property
    def shed(self) -> list[Answered]:
        """Requests that were turned away as they should be: 429, and when to come back."""
        return [one for one in self.answers if one.status == FULL and one.retry_s is not None]

    @property
    def failed(self) -> dict[str, int]:
        """Everything else, by what it was."""
        good = {id(one) for one in (*self.accepted, *self.shed)}
        return dict(Counter(_name(one) for one in self.answers if id(one) not in good))

    def by_address(self) -> dict[str, Held]:
        """Return the same for each kind of request."""
        kinds = sorted({one.kind for one in self.answers})
        return {kind: self._of([one for one in self.answers if one.kind == kind]) for kind in kinds}

    def _of(self, answers: list[Answered]) -> Held:
        return Held(tuple(answers), (), self.deadline_s, self.seconds, None)

    def counts(self) -> dict[str, Any]:
        """Return what came of the requests, and how long they took."""
        return {
            "requests": len(self.answers),
            "accepted": len(self.accepted),
            "shed": len(self.shed),
            "failed": self.failed,
            "accepted_s": _quantiles(self.accepted),
            "shed_s": _quantiles(self.shed),
        }

    def facts(self) -> dict[str, Any]:
        """Return the figures."""
        return self.counts() | {
            "seconds": round(self.seconds, 1),
            "capacity_per_s": None if self.capacity_per_s is None else round(self.capacity_per_s, 1),
            "asked_per_s": round(len(self.answers) / self.seconds, 1),
            "by_address": {kind: held.counts() for kind, held in self.by_address().items()},
            "memory": [asdict(point) for point in self.memory],
        }

    def to_json(self) -> str:
        """Return the figures as JSON."""
        return json.dumps(self.facts(), indent=2) + "\n"

    def print(self, console: Console | None = None) -> None:
        """Print the figures."""
        out = console or Console()
        out.print(self._table())
        out.print("\n".join(self._lines()), style="dim", highlight=False)

    def _table(self) -> Table:
        """Return the addresses, one a row."""
        table = Table(title="Under load", title_justify="left", box=None, pad_edge=False)
        table.add_column("address", no_wrap=True)
        for column in ("asked", "answered", "429", "other", *(f"{100 * q:.0f} %" for q in QUANTILES)):
            table.add_column(column, justify="right")
        for kind, held in self.by_address().items():
            counts = (len(held.answers), len(held.accepted), len(held.shed), sum(held.failed.values()))
            times = [f"{seconds:,.2f} s" for seconds in _quantiles(held.accepted).values()] or ["–"] * len(QUANTILES)
            table.add_row(kind, *(f"{count:,}" for count in counts), *times)
        return table

    def _lines(self) -> list[str]:
        """Return what is said below the table."""
        asked_per_s = len(self.answers) / self.seconds
        lines = [f"{len(self.answers):,} requests in {self.seconds:,.0f} s; half, 95 % and 99 % of the answers within."]
        if self.capacity_per_s is not None:
            lines.append(f"Capacity: {self.capacity_per_s:,.1f} requests a second; asked: {asked_per_s:,.1f}.")
        if self.memory:
            first, last = self.memory[0], self.memory[-1]
            lines.append(
                f"Memory: {first.bytes / 2**20:,.0f} MiB after {first.requests:,} requests, "
                f"{last.bytes / 2**20:,.0f} MiB after {last.requests:,}."
            )
        failed = ", ".join(f"{number:,} × {name}" for name, number in self.failed.items())
        return [*lines, f"Failed: {failed or 'none'}."]


def _name(one: Answered) -> str:
    if one.status == NONE:
        return "no answer"
    if one.whole:
        return "after the deadline"
    if one.status == OK:
        return "broken off"
    return "429 without Retry-After" if one.status == FULL else str(one.status)


def _quantiles(answers: Sequence[Answered]) -> dict[str, float]:
    seconds = [one.seconds for one in answers]
    return {f"{q:g}": round(float(np.quantile(seconds, q)), 4) for q in QUANTILES} if seconds else {}
