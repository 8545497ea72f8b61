"""Prepare raw trips: read → clean → match → label, chunk by chunk on all cores, then split into two tables; report.

Every finished chunk lies in `<out>/parts-<fingerprint>/` as a small table and a note of its counts; a run that was
stopped makes only what is missing. Memory holds a few chunks at a time, however many trips there are.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from htp.city.matching import Matcher, city_fingerprint, ensure_paths
from htp.compute.parallel import begin_worker, processes, result_of
from htp.errors import InputError
from htp.files import fingerprint_of, replacing
from htp.json_files import parse_object, read_object
from htp.prepare.chunk import prepare_chunk
from htp.prepare.reasons import explained
from htp.prepare.sources import check_first_trips, digest, open_sources
from htp.prepare.split import UniqueIds, heldout_days, is_heldout
from htp.prepare.tally import Tally
from htp.prepare.usual_interval import sample_of, usual_interval_s
from htp.scale.cluster import LOCAL, Cluster
from htp.trips import write_trips

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.context import BaseContext
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.prepare.options import PrepareOptions
    from htp.prepare.rawtrips import Chunk, Source

TABLES, PART = ("train", "heldout"), "trips"
MAX_OUT_OF_TOWN = 0.9  # ours: above this share of all rows the city is the wrong one
VERSION = 7  # of what preparation does to a trip; parts of another version are made again


def prepare(
    sources: Sequence[Path],
    city: City,
    out: Path,
    options: PrepareOptions,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Prepare all trips into `out/train.parquet` and `out/heldout.parquet`; return what `out/report.json` says.

    `progress` is told how much of the sources is done, in bytes or rows, and how much there is. `InputError` where a
    source cannot be read, the city does not cover the trips, or no trip is left.
    """
    started = time.monotonic()
    opened = open_sources(sources, options.columns, city.timezone, options.hints)
    try:
        report = _prepare(opened, city, out, options, progress)
    except InputError as error:
        for note in dict.fromkeys(note for source in opened for note in source.notes):
            error.add_note(note)
        raise
    report["seconds"] = round(time.monotonic() - started, 1)
    with replacing(out / "report.json") as path:
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for stale in out.glob("parts-*"):  # of this run, and of runs of other sources or settings that were stopped
        shutil.rmtree(stale)
    return report


def _prepare(
    opened: Sequence[Source],
    city: City,
    out: Path,
    options: PrepareOptions,
    progress: Callable[[int, int], None] | None,
) -> dict[str, Any]:
    """Make the tables; return what the report says."""
    forked = processes(__name__) if options.ray is None else None
    check_first_trips(opened, city)
    total = sum(source.size for source in opened)
    tally = Tally()
    with nullcontext() if forked is None else _Workers(city, options.workers or _cores(), forked) as pool:
        if options.interval_s is None:
            options = replace(options, interval_s=usual_interval_s(sample_of(opened)))
        facts = _facts(opened, city, options)
        parts = out / f"parts-{facts['fingerprint']}"
        parts.mkdir(parents=True, exist_ok=True)
        for done, part in _make_parts(opened, city, parts, options, pool):
            tally.add(part)
            if progress:
                progress(min(done, total), total)
    try:
        _check_result(tally, opened, city)
    except InputError:
        shutil.rmtree(parts)
        raise
    ids = UniqueIds()
    tally.heldout = _split(sorted(parts.glob(f"*-{PART}.parquet")), out, options, ids)
    notes = [note for source in opened for note in source.notes]
    if ids.renamed:
        notes.append(f"renamed {ids.renamed:,} trips whose id came before, such as {ids.example}.")
    return facts | tally.figures() | {"notes": notes}


def _make_parts(
    sources: Sequence[Source], city: City, parts: Path, options: PrepareOptions, pool: _Workers | None
) -> Iterator[tuple[int, Tally]]:
    """Make what is missing of the parts and yield the tally of each, with how much of the sources is done by then."""
    if pool is None:
        yield from _make_on_cluster(sources, city, parts, options)
        return
    done = 0
    chunks = ((chunk, chunk.size) for source in sources for chunk in source.chunks())
    for number, (chunk, size) in enumerate(chunks):
        note = parts / f"{number:06d}.json"
        finished = [(size, _read_note(note))] if note.exists() else pool.submit((chunk, note), options, size)
        for size_done, tally in finished:
            done += size_done
            yield done, tally
    for size_done, tally in pool.rest():
        done += size_done
        yield done, tally


def _make_on_cluster(
    sources: Sequence[Source], city: City, parts: Path, options: PrepareOptions
) -> Iterator[tuple[int, Tally]]:
    """Do the same on the workers of a Ray cluster, which have to see the folder of the parts."""
    ensure_paths(city)  # for the workers on this machine; each other machine has its own
    chunks = (chunk for source in sources for chunk in source.chunks())
    tasks = ((chunk, parts.absolute() / f"{number:06d}.json") for number, chunk in enumerate(chunks))
    start = partial(_equip, replace(city), options)  # replace: without what the city has cached
    done = 0
    with Cluster(options.ray or LOCAL, workers=options.workers) as cluster:
        for _, (size, tally) in cluster.each(start, _keep_or_make, tasks):
            done += size
            yield done, tally


def _cores() -> int:
    """Return how many cores this process may use; macOS tells only how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Workers:
    """Processes that prepare chunks; few chunks wait at a time."""

    def __init__(self, city: City, workers: int, forked: BaseContext) -> None:
        self._workers = workers
        self._pool = ProcessPoolExecutor(
            workers,
            mp_context=forked,
            initializer=_start_worker,
            initargs=(replace(city), ensure_paths(city)),  # replace: without what the city has cached
        )
        self._running: dict[Future[Tally], int] = {}

    def __enter__(self) -> Self:
        """Start the processes: they load the table of paths while the sources are looked at."""
        for _ in range(self._workers):
            self._pool.submit(_begun)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit(self, task: tuple[Chunk, Path], options: PrepareOptions, size: int) -> list[tuple[int, Tally]]:
        """Hand over a chunk and the path of its note; return what was finished meanwhile."""
        self._running[self._pool.submit(_work, task, options)] = size
        return self._finished() if len(self._running) > 2 * self._workers else []

    def rest(self) -> Iterator[tuple[int, Tally]]:
        """Yield what is still running as it is finished."""
        while self._running:
            yield from self._finished()

    def _finished(self) -> list[tuple[int, Tally]]:
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        return [(self._running.pop(future), result_of(future)) for future in done]


_matchers: list[Matcher] = []  # of a worker process: one, so that the table of paths is loaded once


def _start_worker(city: City, paths: Path) -> None:
    begin_worker()
    _matchers[:] = [Matcher(city, paths)]


def _begun() -> None:
    """Do nothing: a pool starts a process for each piece of work that none is free for."""


def _work(task: tuple[Chunk, Path], options: PrepareOptions) -> Tally:
    return _make_part((_matchers[0], options), task)


def _equip(city: City, options: PrepareOptions) -> tuple[Matcher, PrepareOptions]:
    return Matcher(city), options


def _keep_or_make(worker: tuple[Matcher, PrepareOptions], task: tuple[Chunk, Path]) -> tuple[int, Tally]:
    chunk, note = task
    return chunk.size, _read_note(note) if note.exists() else _make_part(worker, task)


def _make_part(worker: tuple[Matcher, PrepareOptions], task: tuple[Chunk, Path]) -> Tally:
    """Prepare one chunk; the note is written last, so that it is there only when the table is."""
    chunk, note = task
    prepared = prepare_chunk(chunk.parse(), *worker)
    write_trips(prepared.trips, note.with_name(f"{note.stem}-{PART}.parquet"))
    with replacing(note) as path:
        path.write_text(json.dumps(prepared.tally.to_json()), encoding="utf-8")
    return prepared.tally


def _read_note(note: Path) -> Tally:
    """Return the counts of a chunk that is finished; `InputError` where the note says something else."""
    try:
        return Tally.from_json(read_object(note))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{note}: damaged; remove {note.parent} and prepare the trips again.") from error


def _split(parts: Sequence[Path], out: Path, options: PrepareOptions, ids: UniqueIds) -> int:
    """Join the chunks' tables into those of training and held-out trips, a chunk a row group; return the latter's size.

    Every trip gets an id of its own before its side is drawn; but for the ids, no more than a chunk is held at a time.
    """
    named: list[tuple[list[str], NDArray[np.bool_]]] = []
    bounds: dict[str, list[NDArray[np.float64]]] = {name: [] for name in TABLES}
    days = None
    if options.heldout_by == "day" and options.heldout_area is None:
        starts = (pq.read_table(part, columns=["start_time"]).to_pandas()["start_time"] for part in parts)
        days = heldout_days(map(_days, starts), options.heldout_share, options.seed)
    for part in parts:
        table = pq.read_table(part, columns=["trip_id", "start_time", "geometry"])
        trips = table.select(["trip_id", "start_time"]).to_pandas()
        names, sides = ids.of(trips)
        lines = shapely.from_wkb(table["geometry"].to_numpy())
        held = _held(trips["start_time"], lines, sides, days, options)
        named.append((names, held))
        for name, some in zip(TABLES, (~held, held), strict=True):
            bounds[name] += [shapely.total_bounds(lines[some])] if some.any() else []
    _check_area(options, np.concatenate([held for _, held in named]))
    schema = pq.read_schema(parts[0])
    geo = parse_object(schema.metadata[b"geo"], f"{parts[0]}")
    with ExitStack() as stack:
        writers = []
        for name in TABLES:
            path = stack.enter_context(replacing(out / f"{name}.parquet"))
            facts = schema.with_metadata({"geo": json.dumps(_with_bounds(geo, bounds[name]))})
            writers.append(stack.enter_context(pq.ParquetWriter(path, facts, compression="zstd")))
        for part, (names, held) in zip(parts, named, strict=True):
            table = pq.read_table(part)
            table = table.set_column(table.column_names.index("trip_id"), "trip_id", pa.array(names, pa.string()))
            for writer, some in zip(writers, (~held, held), strict=True):
                if some.any():
                    writer.write_table(table.filter(pa.array(some)).cast(writer.schema))
    return sum(int(held.sum()) for _, held in named)


def _held(
    starts: pd.Series[pd.Timestamp],
    lines: NDArray[np.object_],
    sides: list[str],
    days: set[str] | None,
    options: PrepareOptions,
) -> NDArray[np.bool_]:
    """Return which trips are held out: those through the area, of the days, or by the ids that sides are drawn by."""
    if options.heldout_area is not None:
        through: NDArray[np.bool_] = shapely.intersects(lines, shapely.box(*options.heldout_area))
        return through
    if days is not None:
        return _days(starts).isin(days).to_numpy()
    return is_heldout(sides, options.heldout_share, options.seed)


def _check_area(options: PrepareOptions, held: NDArray[np.bool_]) -> None:
    if options.heldout_area is not None and (held.all() or not held.any()):
        raise InputError(
            f"No trip or every trip goes through {options.heldout_area}; hold out a box that some of them touch."
        )


def _days(starts: pd.Series[pd.Timestamp]) -> pd.Series[str]:
    """Return the days that trips began on, by the clocks of their time zone, [B]."""
    return starts.dt.strftime("%Y-%m-%d")


def _with_bounds(geo: dict[str, Any], bounds: Sequence[NDArray[np.float64]]) -> dict[str, Any]:
    """Return GeoParquet's facts with the box of all these boxes; without one where there is no trip."""
    facts = {key: value for key, value in geo["columns"]["geometry"].items() if key != "bbox"}
    if bounds:
        boxes = np.array(bounds)
        facts["bbox"] = [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
    return geo | {"columns": {"geometry": facts}}


def _check_result(tally: Tally, sources: Sequence[Source], city: City) -> None:
    names = ", ".join(str(source.path) for source in sources)
    if tally.rows == 0:
        raise InputError(f"{names}: there are no trips in it; give a file with at least one row.")
    if tally.dropped["out_of_town"] > MAX_OUT_OF_TOWN * (tally.rows + tally.further):
        raise InputError(
            f"{names}: {tally.dropped['out_of_town']} of {tally.rows + tally.further} trips lie outside {city.name}; "
            "make the city that covers them with `htp city`, or give other trips."
        )
    if tally.kept == 0:
        counts = tally.dropped.most_common()
        reasons = ", ".join(f"{reason}: {count}" for reason, count in counts)
        why = explained(counts[0][0], tally.examples)
        raise InputError(f"{names}: none of {tally.rows + tally.further} trips can be used ({reasons}); {why}.")


def _facts(sources: Sequence[Source], city: City, options: PrepareOptions) -> dict[str, Any]:
    """Return what the result depends on, and a fingerprint of it."""
    facts = {
        "sources": [{"name": one.path.name, "size": one.size, "sha256": digest(one.path)} for one in sources],
        "city": {"name": city.name, "roads": len(city), "sha256": city_fingerprint(city)},
        "settings": {
            "interval_s": options.interval_s,
            "columns": dict(options.columns),
            "hints": options.hints.to_json(),
            "heldout_share": options.heldout_share,
            "heldout_by": options.heldout_by,
            "heldout_area": options.heldout_area,
            "seed": options.seed,
            "min_points": options.min_points,
            "max_points": options.max_points,
        },
        "version": VERSION,
    }
    return facts | {"fingerprint": fingerprint_of(facts)}
