"""Hold the result of a benchmark; print it as tables or write it as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from htp.bench.roofline import Machine
    from htp.bench.workload import Timing


@dataclass(frozen=True)
class Speed:
    """How fast one kind of work is done at one batch."""

    work: str
    timing: Timing
    limit: float  # share of the roofline's speed that the token loop reaches


@dataclass(frozen=True)
class Rival:
    """How long another way takes for the same work, and how many times as fast HTP is."""

    name: str
    work: str
    timing: Timing
    times: float  # HTP's trips a second over the rival's
    saves: float  # the rival's processor time a trip over HTP's; of little use on a GPU
    batch: int  # of HTP in this comparison


@dataclass(frozen=True)
class Bench:
    """The result of a benchmark."""

    speeds: tuple[Speed, ...]
    rivals: tuple[Rival, ...]
    stages: dict[str, dict[str, float]]  # work to stage to share of the time
    stages_batch: int
    machine: Machine
    token: dict[str, int]  # bytes and FLOPs that a step of the token loop needs, at the middle of the median trip
    first_trip_s: float  # of a route not asked for before
    peak_memory_bytes: int | None  # of the process, after our own generation and before the rivals; None: not known
    device: str
    threads: int
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """Return everything as JSON."""
        content = asdict(self)
        for name in ("speeds", "rivals"):
            for written, measured in zip(content[name], getattr(self, name), strict=True):
                written["trips_per_s"] = measured.timing.trips_per_s
        return json.dumps(content, indent=2) + "\n"

    def __rich__(self) -> RenderableType:
        """Return the benchmark as it is printed by rich."""
        parts = [self._speeds(), self._rivals(), self._stages()]
        memory = "unknown" if self.peak_memory_bytes is None else f"{self.peak_memory_bytes / 2**20:,.0f} MiB"
        speed = (
            f"memory moved at {self.machine.bytes_per_s / 1e9:.1f} GB/s, matrices multiplied at "
            f"{self.machine.flops_per_s / 1e9:,.0f} GFLOP/s."
        )
        facts = [
            f"{self.device}, {self.threads} threads; {speed}",
            f"First trip of a new route: {1000 * self.first_trip_s:.0f} ms. Peak memory of HTP: {memory}.",
            *self.notes,
        ]
        return Group(*parts, Text("\n".join(facts), style="dim"))

    def print(self, console: Console | None = None) -> None:
        """Print the benchmark."""
        (console or Console()).print(self)

    def _speeds(self) -> Table:
        columns = ("trips/s", "ms a trip", "processor ms", "turns", "of the machine's limit")
        table = _table("Trips asked for at once", ("work", "batch"), columns)
        for speed in self.speeds:
            timing = speed.timing
            ms, worked_ms = (f"{1000 * s / timing.trips:.2f}" for s in (timing.seconds, timing.processor_s))
            rate, limit = f"{timing.trips_per_s:,.1f}", f"{100 * speed.limit:.0f} %"
            table.add_row(speed.work, f"{timing.trips:,}", rate, ms, worked_ms, str(timing.turns), limit)
        return table

    def _rivals(self) -> Table:
        columns = ("batch", "ms a trip", "HTP's batch", "HTP is faster by", "in processor time")
        table = _table("Against other ways", ("way", "work"), columns)
        for rival in self.rivals:
            ms = f"{1000 * rival.timing.seconds / rival.timing.trips:,.1f}"
            times, saves = (f"{number:,.1f} times" for number in (rival.times, rival.saves))
            table.add_row(rival.name, rival.work, f"{rival.timing.trips:,}", ms, f"{rival.batch:,}", times, saves)
        return table

    def _stages(self) -> Table:
        names = list(next(iter(self.stages.values())))
        table = _table(f"Share of the time by stage, {self.stages_batch} trips at once", ("work",), names)
        for work, shares in self.stages.items():
            table.add_row(work, *(f"{100 * shares[name]:.0f} %" for name in names))
        return table


def _table(title: str, left: tuple[str, ...], right: Any) -> Table:
    table = Table(*left, title=title, title_justify="left")
    for column in right:
        table.add_column(column, justify="right")
    return table
