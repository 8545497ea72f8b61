"""Run an experiment: every method and seed in turn, each result a file as soon as it is there.

A run that was stopped goes on where it was. A method that fails is put on record with its sentence, and the others go
on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

from htp.errors import InputError
from htp.experiment.data import Data
from htp.experiment.job import ExperimentJob
from htp.experiment.layout import Layout, write_json
from htp.experiment.results import VERSION, Result
from htp.experiment.scoring import Scoring
from htp.experiment.settings import budget_of, stamp
from htp.trips import write_trips

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from htp.experiment.settings import ExperimentSettings
    from htp.methods.registry import MethodEntry


@dataclass
class RunSummary:
    """What became of the methods, by the names of their results."""

    finished: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)  # their results were there
    failed: dict[str, str] = field(default_factory=dict)  # with their sentences


def run(  # noqa: PLR0913  the command's arguments
    data: Path,
    city: Path,
    methods: Sequence[MethodEntry],
    settings: ExperimentSettings,
    out: Path,
    *,
    force: bool = False,
    workers: int | None = None,
    report: Callable[[dict[str, Any]], None] = print,
) -> RunSummary:
    """Train, generate and measure what has no result yet; return what became of each method.

    `workers` is the number of processes that measure. `InputError` where the data cannot be read, or where a result of
    other data, another budget or configuration is in the way and not `force`.
    """
    loaded, layout = Data.load(data, city, settings), Layout(out)
    tally, waiting = RunSummary(), []
    for entry, seed in product(methods, range(settings.seeds)):
        job = ExperimentJob(entry, seed, settings, loaded, layout, report)
        if job.base is not None:
            _is_there(job.base, force=force)  # refuses to train it anew where it has a result of other settings
        if _is_there(job, force=force):
            tally.skipped.append(job.stem)
        else:
            waiting.append(job)
    if waiting:
        loaded.city.save(layout.city)
        write_trips(loaded.heldout, layout.real)
    with Scoring(loaded.heldout, loaded.city, workers=workers) as yardstick:
        while waiting:
            _do(waiting.pop(0), yardstick, tally)  # a job that is done is let go, and the model with it
    return tally


def _is_there(job: ExperimentJob, *, force: bool) -> bool:
    """Say whether a job's result is there already; one that failed is not."""
    path = job.layout.result(job.stem)
    if not path.exists():
        return False
    there = Result.read(path)
    if there.sentence is None and there.key != job.key and not force:
        raise InputError(
            f"{path}: there is a result of other trips, another budget or configuration "
            f"({there.trained_on:,} trips, {budget_of(there.budget_s)}); give --force to replace it, or another --out."
        )
    return there.sentence is None and there.key == job.key


def _do(job: ExperimentJob, yardstick: Scoring, tally: RunSummary) -> None:
    """Write the result of a job, be it a failure."""
    job.report({"method": job.entry.name, "seed": job.seed, "state": "started"})
    try:
        found, sentence = job.evaluate(yardstick), None
    except Exception as error:  # noqa: BLE001  whatever one method does, the others go on
        known = isinstance(error, InputError)
        found, sentence = {}, str(error) if known else f"{type(error).__name__}: {error}"
    content = {"version": VERSION, "key": job.key, **job.facts, "sentence": sentence}
    content |= {"data": job.data.facts | {"fingerprint": job.data.fingerprint}} | stamp(job.settings.device)
    write_json(job.layout.result(job.stem), content | found)
    if sentence is None:
        tally.finished.append(job.stem)
    else:
        tally.failed[job.stem] = sentence
    job.report({"method": job.entry.name, "seed": job.seed, "state": sentence or "finished"})
