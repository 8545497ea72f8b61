"""Evaluate trips by `htp evaluate` in a process of its own, once for everybody who asks for the same.

Matching a city's trips begins with seconds of work that let no other thread run, so it may not be done in this process.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from htp.conditions import several
from htp.errors import InputError
from htp.evaluate.calibration import draw_names
from htp.evaluate.reading import read_report
from htp.prepare.table import read_table, said
from htp.trips import count_trips, read_trips, write_trips
from htp.workspace import plain_name
from htp_app.jobs import command
from htp_app.sample import conditions_like, heldout_sample
from htp_app.stores import keep, store

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from htp.evaluate import Report
    from htp.trips import Conditions
    from htp_app.model import Model

    Progress = Callable[[int, int], None]

KEPT = 16  # results
DRAWS, CALIBRATED_ON = 9, 200  # draws for the conditions of so many real trips at most
DONE = "evaluations"
MAX_FILE_MB = 50  # of uploaded trips
MAX_TRAIN = 200_000  # training trips that are searched for copies

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Upload:
    """A file of trips that somebody has sent."""

    name: str
    content: bytes = field(repr=False, compare=False)
    digest: str

    @classmethod
    def of(cls, name: str, content: bytes) -> Upload:
        """Give a file its fingerprint."""
        return cls(plain_name(name), content, hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class ComparisonRequest:
    """What is compared with what; equal ones have equal results."""

    real: Upload | None  # None: held-out trips
    generated: Upload | None  # None: made now, like the real ones
    count: int | None  # held-out trips; None: all
    seed: int
    ceiling: bool  # whether the real trips are sent through the tokenizer and back as well
    calibration: bool  # whether several trips are made for the conditions of each of some real ones
    train: Path | None  # folder of prepared trips to look for copies of


@dataclass(frozen=True)
class Evaluated:
    """The result and what has to be said beside it."""

    report: Report
    notes: tuple[str, ...]


def result_of(served: Model, asked: ComparisonRequest) -> Evaluated | None:
    """Return what somebody has already had evaluated."""
    done: dict[ComparisonRequest, Evaluated] = store(DONE, served)
    return done.get(asked)


def work_for(served: Model, asked: ComparisonRequest) -> Callable[[Progress], None]:
    """Return what is to be done in the background: all that it takes to keep what `result_of` returns."""
    done = store(DONE, served)  # here, as a thread has no session

    def work(progress: Progress) -> None:
        progress(0, 0)
        if asked in done:
            return
        with tempfile.TemporaryDirectory(prefix="htp-evaluate-") as name:
            keep(done, asked, _evaluate(served, asked, Path(name), progress), KEPT)

    return work


def _evaluate(served: Model, asked: ComparisonRequest, folder: Path, progress: Progress) -> Evaluated:
    served.generator.city.save(folder / "city")
    notes = _put(served, asked.real, "real", folder) if asked.real else _put_heldout(served, asked, folder)
    real = made = count_trips(folder / "real.parquet")
    if asked.generated is not None:
        notes += _put(served, asked.generated, "generated", folder)
        made = 0
    draws = DRAWS * min(real, CALIBRATED_ON) if asked.calibration else 0
    total = made + draws + real + (made or count_trips(folder / "generated.parquet")) + (real if asked.ceiling else 0)
    if asked.generated is None:
        _generate(served, asked, folder, lambda done, _: progress(done, total))
    arguments = ["evaluate", "--real", "real.parquet", "--generated", "generated.parquet", "--city", "city", "--json"]
    arguments += ["--workers", "1"]  # the other cores are for those who use the app meanwhile
    if asked.ceiling:
        _reconstruct(served, folder, lambda *_: progress(made, total))
        arguments += ["--ceiling", "ceiling.parquet"]
    if asked.calibration:
        _draw(served, asked.seed, folder, lambda done, _: progress(made + done, total))
        arguments += ["--draws", "draws.parquet"]
    if asked.train is not None:
        arguments += ["--train", str(_training(asked.train))]
    printed = command.run(arguments, folder, lambda done, _: progress(made + draws + done, total))
    return Evaluated(read_report(printed), tuple(notes))


def _put_heldout(served: Model, asked: ComparisonRequest, folder: Path) -> list[str]:
    write_trips(heldout_sample(served, asked.count), folder / "real.parquet")
    return []


def _put(served: Model, upload: Upload, side: str, folder: Path) -> list[str]:
    """Put uploaded trips into the folder as GeoParquet; return a sentence where some were left out."""
    path = folder / f"{side}-upload" / upload.name
    path.parent.mkdir()
    path.write_bytes(upload.content)
    try:
        table = read_table(path, served.generator.city)
        write_trips(table.trips, folder / f"{side}.parquet")
    except InputError as error:
        raise InputError(str(error).replace(f"{path.parent}/", "")) from error
    except Exception as error:
        _log.exception("an uploaded file could not be read")
        raise InputError(f"{upload.name}: cannot be read as trips; write them by HTP or as the README says.") from error
    left_out = said(table.dropped)
    return [f"{upload.name}: {len(table.trips):,} trips; left out: {left_out}."] if left_out else []


def _generate(served: Model, asked: ComparisonRequest, folder: Path, progress: Progress) -> None:
    real = _prepared(served, folder)
    trips = _made(served, conditions_like(served, real), asked.seed, progress)
    write_trips(trips.assign(trip_id=real["trip_id"].to_numpy()), folder / "generated.parquet")


def _draw(served: Model, seed: int, folder: Path, progress: Progress) -> None:
    """Make several trips for the conditions of each of some real trips, travel times drawn."""
    real = _prepared(served, folder)
    some = real.iloc[np.sort(np.random.default_rng(0).permutation(len(real))[:CALIBRATED_ON])]
    asked = several(conditions_like(served, some), DRAWS, draw_time=True)
    trips = _made(served, asked, seed, progress)
    write_trips(trips.assign(trip_id=draw_names(some["trip_id"], DRAWS)), folder / "draws.parquet")


def _prepared(served: Model, folder: Path) -> gpd.GeoDataFrame:
    """Return the real trips; `InputError` where none can be generated like them."""
    real = read_trips(folder / "real.parquet")
    missing = {"roads", "percent"} - set(real.columns)
    if missing:
        raise InputError(
            "the real trips name no roads, so none can be generated like them; prepare them first (Data and models), "
            "or upload generated trips as well."
        )
    _check_roads(served, real)
    return real


def _made(served: Model, asked: list[Conditions], seed: int, progress: Progress) -> gpd.GeoDataFrame:
    with served.turn():
        progress(0, len(asked))  # somebody may have pressed Stop while others were served
        return served.generator.generate(asked, seed=seed, progress=progress)


def _reconstruct(served: Model, folder: Path, progress: Progress) -> None:
    checkpoint = str(served.checkpoint.absolute())
    arguments = ["reconstruct", "real.parquet", "--checkpoint", checkpoint, "--out", "ceiling.parquet"]
    command.run(arguments, folder, progress)


def _training(prepared: Path) -> Path:
    path = (prepared / "train.parquet").absolute()
    trips = count_trips(path)
    if trips > MAX_TRAIN:
        raise InputError(f"{prepared.name}: {trips:,} training trips; copies are looked for among {MAX_TRAIN:,} here.")
    return path


def _check_roads(served: Model, like: gpd.GeoDataFrame) -> None:
    if max(int(max(roads, default=0)) for roads in like["roads"]) >= len(served.generator.city):
        raise InputError(f"the real trips name roads that {served.generator.city.name} does not have.")
