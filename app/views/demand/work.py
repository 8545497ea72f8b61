"""Make a day's trips in the background, part by part into a folder, once for everybody whom this process serves.

A run belongs to what was asked for, not to a session: who asks for the same day again, after a stop, a reload or on
another screen, finds its parts and goes on. Folders vanish with the last one who holds their run, or with the process.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import shapely

from htp.planning.demand.counts import Counts
from htp.planning.demand.day import Day, Timetable, plan_day
from htp.planning.demand.parts import export, make_part, part_count
from htp.trips import write_trips
from htp_app.stores import keep, store

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp.planning.demand.table import Flows
    from htp.planning.demand.zones import Zones
    from htp_app.model import Model

RUNS = "days"
KEPT = 3  # runs that are found again though nobody looks at them


@dataclass(frozen=True)
class DayRequest:
    """A day to make trips of."""

    checkpoint: Path  # that generates them
    zones: Zones
    flows: Flows
    timetable: Timetable

    @property
    def key(self) -> str:
        """Tells days apart, whoever asks for them."""
        parts = [
            f"{self.checkpoint} {self.timetable}".encode(),
            "\n".join(self.zones.names).encode(),
            b"".join(shapely.to_wkb(self.zones.shapes).tolist()),
            np.column_stack([self.flows.origin, self.flows.destination, self.flows.trips]).tobytes(),
        ]
        return hashlib.blake2s(b"\0".join(parts)).hexdigest()


@dataclass
class Run:
    """The parts of a day that have been made so far."""

    asked: DayRequest
    day: Day | None = None  # None until its routes have been found
    parts: list[Counts] = field(default_factory=list)
    _folder: TemporaryDirectory[str] = field(default_factory=lambda: TemporaryDirectory(prefix="htp-demand-"))
    _joined: tuple[int, Counts] | None = None

    @property
    def folder(self) -> Path:
        """Where the parts lie."""
        return Path(self._folder.name) / "parts"

    @property
    def finished(self) -> bool:
        """Whether every part has been made."""
        return self.day is not None and len(self.parts) == part_count(self.day)

    @property
    def counts(self) -> Counts | None:
        """What the parts so far add up to; None where there is none."""
        made = len(self.parts)
        if not made:
            return None
        if self._joined is None or self._joined[0] != made:
            self._joined = (made, Counts.join(self.parts[:made]))
        return self._joined[1]

    def file(self, ending: str, hours: tuple[int, int]) -> bytes:
        """Return the trips so far that depart in these hours as a file of the format with this ending."""
        path = Path(self._folder.name) / f"{len(self.parts)}-{hours[0]}-{hours[1]}{ending}"
        if not path.exists():
            export(self.folder, path, hours)
        return path.read_bytes()


def run_of(asked: DayRequest) -> Run:
    """Return the run of a day, a new one where nobody has asked for it lately."""
    runs = store(RUNS)
    run: Run = runs.pop(asked.key, None) or Run(asked)
    keep(runs, asked.key, run, KEPT)
    return run


def work_for(served: Model, run: Run) -> Callable[[Callable[[int, int], None]], None]:
    """Return what is to be done in the background: find the routes, then make the parts that are not there."""
    generator, asked = served.generator, run.asked

    def work(progress: Callable[[int, int], None]) -> None:
        if run.day is None:
            with served.turn():
                progress(0, asked.flows.total)
                run.day = run.day or plan_day(generator, asked.zones, asked.flows, asked.timetable, progress)
        for number in range(part_count(run.day)):
            with served.turn():  # others get their turn between two parts
                if number < len(run.parts):
                    continue
                trips = make_part(generator, run.day, number, asked.timetable.seed, asked.zones.names, progress)
                write_trips(trips, run.folder / f"part-{number:05d}.parquet")
                run.parts.append(Counts.of(trips, generator.city))

    return work
