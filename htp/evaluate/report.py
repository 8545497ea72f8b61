"""Hold the result of an evaluation; print it as a table or write it as JSON.

Every metric stands beside its noise floor and, where reconstructed trips were given, the tokenizer's ceiling.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from htp.evaluate.measure import Measures
    from htp.evaluate.validity import Validity


@dataclass(frozen=True)
class Line:
    """One metric."""

    name: str  # as in the paper's tables
    value: float  # generated trips against real ones
    floor: float  # one half of the real trips against the other
    ceiling: float | None  # real trips through the tokenizer and back against real ones; None: not given
    low_is_good: bool

    @property
    def times_floor(self) -> float | None:
        """How many times its noise floor a divergence is; None for similarities, or where the floor is 0."""
        return self.value / self.floor if self.low_is_good and self.floor > 0 else None


@dataclass(frozen=True)
class Size:
    """What one set of trips is made of."""

    trips: int
    points: int
    unmatched: int  # points that map matching found no road for; they count in all metrics but R-Den and R-Pat

    @classmethod
    def of(cls, measures: Measures) -> Size:
        """Count measured trips."""
        return cls(len(measures.points), int(measures.points.sum()), measures.unmatched)


@dataclass(frozen=True)
class Bins:
    """The bins of one divergence: equal parts of the real values, both ends open."""

    count: int
    first: float  # upper edge of the lowest bin; metres, for Length points
    last: float  # lower edge of the highest bin


@dataclass(frozen=True)
class Report:
    """The result of an evaluation."""

    lines: tuple[Line, ...]
    sizes: dict[str, Size]  # real, generated and, where given, ceiling
    bins: dict[str, Bins]  # by metric
    splits: int  # random halvings that the noise floor is the mean of
    seed: int  # of the halvings
    validity: Validity | None  # None where the trips do not pair up

    def __getitem__(self, name: str) -> Line:
        """Return a metric by its name in the paper's tables."""
        return next(line for line in self.lines if line.name == name)

    def to_json(self) -> str:
        """Return everything as JSON."""
        content = asdict(self)
        lines = {line.pop("name"): line for line in content.pop("lines")}
        return json.dumps({"metrics": lines, **content}, indent=2) + "\n"

    def __rich__(self) -> RenderableType:
        """Return the report as it is printed by rich."""
        parts: list[RenderableType] = [self._table(), Text(self._notes(), style="dim")]
        if self.validity is None:
            parts.append(
                Text("Conditions not checked: the generated trips have other ids than the real ones.", style="dim")
            )
        else:
            parts.append(_validity_table(self.validity))
        return Group(*parts)

    def print(self, console: Console | None = None) -> None:
        """Print the report."""
        (console or Console()).print(self)

    def _table(self) -> Table:
        with_ceiling = any(line.ceiling is not None for line in self.lines)
        columns = ["generated", "noise floor", "× floor", *(["tokenizer's ceiling"] if with_ceiling else [])]
        table = Table("metric", title="Generated trips against real ones", title_justify="left")
        for column in columns:
            table.add_column(column, justify="right")
        for line in self.lines:
            times = f"{line.times_floor:.2f}" if line.times_floor is not None else ""
            ceiling = [f"{line.ceiling:.5f}" if line.ceiling is not None else ""] if with_ceiling else []
            arrow = "↓" if line.low_is_good else "↑"
            table.add_row(f"{line.name} {arrow}", f"{line.value:.5f}", f"{line.floor:.5f}", times, *ceiling)
        return table

    def _notes(self) -> str:
        sizes = "; ".join(
            f"{name}: {size.trips:,} trips, {size.points:,} points, {size.unmatched:,} of them without a road"
            for name, size in self.sizes.items()
        )
        return (
            f"{sizes}.\nNoise floor: one random half of the real trips against the other, mean of {self.splits}. "
            "As a half has half the trips, it is about twice the divergence that two sets of this size have by chance."
        )


def _validity_table(validity: Validity) -> Table:
    table = Table(title=f"{validity.trips:,} trips against their conditions", title_justify="left")
    shares = {
        "on the route": validity.on_route,
        "number of points": validity.points,
        "time within 2 %": validity.time,
        "distance within 2 %": validity.distance,
        "all of these": validity.everything,
    }
    for name in shares:
        table.add_column(name, justify="right")
    table.add_row(*("not given" if share is None else f"{100 * share:.2f} %" for share in shares.values()))
    return table
