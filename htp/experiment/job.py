"""Take one method with one seed from training to its result; what an earlier run has finished is not done again."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from htp.experiment.layout import note_of, read_note, stem_of, write_json
from htp.experiment.times_of_day import times_of_day
from htp.files import fingerprint_of
from htp.generate import PIECE, reconstruct
from htp.methods.budget import Budget
from htp.methods.registry import METHODS, OURS
from htp.trips import read_trips, write_trips

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from htp.experiment.data import Data
    from htp.experiment.layout import Layout
    from htp.experiment.scoring import Scoring
    from htp.experiment.settings import ExperimentSettings
    from htp.methods.protocol import Method
    from htp.methods.registry import MethodEntry


@dataclass(frozen=True)
class ExperimentJob:
    """One method with one seed."""

    entry: MethodEntry
    seed: int
    settings: ExperimentSettings
    data: Data
    layout: Layout
    report: Callable[[dict[str, Any]], None]

    @property
    def stem(self) -> str:
        """What its files are called."""
        return stem_of(self.entry.name, self.seed)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the result is made of, but for the data; `config` is the method's, with its sizes."""
        method = self.entry.new(self.settings.device)
        config = asdict(method.config)
        named = {"method": self.entry.name, "label": self.entry.label, "group": self.entry.group}
        setting = {"budget_s": self.settings.budget_s, "device": self.settings.device}
        return named | {"place": self.entry.place, "seed": self.seed, "setting": setting, "config": config}

    @cached_property
    def key(self) -> str:
        """What a finished part must have been made for to be taken: data, budget, device, configuration, seed."""
        made_for = {name: self.facts[name] for name in ("method", "seed", "setting", "config")}
        return fingerprint_of(made_for | {"data": self.data.fingerprint})

    @cached_property
    def base(self) -> ExperimentJob | None:
        """The job of the method that this one builds on; None where it stands alone."""
        name = self.entry.made_by.builds_on
        return None if name is None else replace(self, entry=METHODS[name])

    def evaluate(self, yardstick: Scoring) -> dict[str, Any]:
        """Return training, generation and evaluation of the method."""
        trained = self.trained()
        made = self.generated()
        if self.entry.name == OURS:
            self._generate_times()
        evaluation = yardstick.compare(read_trips(self.layout.trips(self.stem)), self._ceiling())
        return {"training": trained, "generation": made, "evaluation": evaluation}

    def trained(self) -> dict[str, Any]:
        """Train the method, and before it what it builds on, unless they are trained; return seconds and stages.

        Seconds are what this training took and what the earlier ones took whose parts it shares.
        """
        folder = self.layout.model(self.stem)

        def make() -> dict[str, Any]:
            method = self._untrained()
            started, worked = time.monotonic(), time.process_time()
            budget = Budget(seconds=self.settings.budget_s)
            method.fit(self.data.train, self.data.city, budget, seed=self.seed, report=self._tell)
            seconds, processor_s = time.monotonic() - started, time.process_time() - worked
            shutil.rmtree(folder, ignore_errors=True)
            method.save(folder)
            shared_s = sum(stage["seconds"] for stage in method.trained if stage.get("shared"))
            note = {"seconds": round(seconds + shared_s, 2), "shared_seconds": round(shared_s, 2)}
            return note | {"processor_seconds": round(processor_s, 2), "stages": method.trained}

        return self._once(folder, make)

    def generated(self) -> dict[str, Any]:
        """Generate a trip for each held-out one unless they are there; return the time and the batch it took."""
        path = self.layout.trips(self.stem)

        def make() -> dict[str, Any]:
            method, batches, wanted = self._method, _Batches(), len(self.data.heldout)
            started, worked = time.monotonic(), time.process_time()
            trips = method.generate(self.data.heldout, seed=self.seed, progress=batches)
            seconds, processor_s = time.monotonic() - started, time.process_time() - worked
            write_trips(trips, path)
            note = {"seconds": round(seconds, 3), "trips": wanted, "batch": batches.largest or wanted}
            note |= {"ms_per_trip": round(1000 * seconds / wanted, 4)}
            return note | {"processor_ms_per_trip": round(1000 * processor_s / wanted, 4)}

        return self._once(path, make)

    def _once(self, made: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the note beside a model or trips, without its key; make both unless they are there for this job."""
        note = read_note(made, self.key)
        if note is None:
            note_of(made).unlink(missing_ok=True)
            note = {"key": self.key} | make()
            write_json(note_of(made), note)
        return {name: value for name, value in note.items() if name != "key"}

    def _untrained(self) -> Method[Any]:
        """Return the method before its training, told where to find what others have made already."""
        base: Path | None = None
        if self.base is not None:
            self.base.trained()
            base = self.layout.model(self.base.stem)
        method = self.entry.new(self.settings.device)
        method.share(self.layout.shared, base)
        return method

    def _generate_times(self) -> None:
        """Write one route at three times of day (Figure 11(b))."""
        asked = times_of_day(self.data)
        write_trips(self._method.generate(asked, seed=self.seed), self.layout.times(self.stem))

    @cached_property
    def _method(self) -> Method[Any]:
        """The trained method as it was saved."""
        return self.entry.made_by.load(self.layout.model(self.stem), self.data.city, self.settings.device)

    def _ceiling(self) -> gpd.GeoDataFrame | None:
        """Return the held-out trips through the method's tokenizer and back; None where it has no tokenizer."""
        tokenizer = getattr(self._method, "tokenizer", None)
        if tokenizer is None:
            return None
        trips = self.data.heldout
        pieces = [reconstruct(trips.iloc[at : at + PIECE], tokenizer, 0, at) for at in range(0, len(trips), PIECE)]
        return gpd.GeoDataFrame(pd.concat(pieces, ignore_index=True), crs="EPSG:4326")

    def _tell(self, line: dict[str, Any]) -> None:
        self.report({"method": self.entry.name, "seed": self.seed} | line)


class _Batches:
    """Hears (done, total) while trips are generated; knows how many were finished at once."""

    def __init__(self) -> None:
        self.done = self.largest = 0

    def __call__(self, done: int, total: int) -> None:  # noqa: ARG002  the way progress is called
        self.largest, self.done = max(self.largest, done - self.done), done
