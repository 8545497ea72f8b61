"""Answer what the command line asks of a generator, from file to file in pieces, so that memory does not grow.

A piece is the same wherever it is made: its trips draw by the seed and their place in the request.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from htp.checkpoint import GENERATOR, MANIFEST, Checkpoint
from htp.compute.random_streams import keys_of
from htp.conditions import conditions_of, several
from htp.evaluate.calibration import draw_names
from htp.generate import PIECE, Generator
from htp.prepare.sources import digest
from htp.recording import Recording
from htp.scale.parts import PartRecord, Parts, forget, write_part
from htp.scale.store import Store
from htp.trip_source import Sampling
from htp.trips import Conditions, check_ending, count_trips, iter_trips, write_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import geopandas as gpd

    from htp.scale.cluster import Cluster

VERSION = 1  # of what generation makes of the same request; parts of another version are refused


def generate_like(  # noqa: PLR0913  the request and what it is answered with
    generator: Generator,
    like: Path,
    out: Path,
    sampling: Sampling,
    *,
    plus: str | None = None,
    draws: int = 1,
    draw_time: bool = False,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Write `draws` generated trips for the conditions of every prepared one; return how many.

    One alone has the `trip_id` of the prepared trip, several are called `ID/1`, `ID/2`, ... With `draw_time` their
    travel time is not told but drawn. `say` is told, in a sentence, where points are read off at another interval than
    the model's own. With `plus` the routes are written as well (HTP+), told no more of the given ones than it says, see
    `TOLD`.
    """
    total = count_trips(like) * draws
    route_generator = None if plus is None else generator.route_generator()

    intervals_s: set[float] = set()

    def pieces() -> Iterator[gpd.GeoDataFrame]:
        names: list[str] = []

        def conditions() -> Iterator[Conditions]:
            for piece in iter_trips(like, needs=("roads", "percent")):
                intervals_s.update(piece["interval"])
                asked, first = several(conditions_of(piece, generator.city), draws, draw_time=draw_time), len(names)
                names.extend(_names_like(piece, draws))
                if route_generator is not None and plus is not None:
                    asked = route_generator.regenerate(asked, keys_of(seed, first, len(asked)), sampling, told=plus)
                yield from asked

        done = 0
        for made in generator.stream(conditions(), seed=seed, sampling=sampling, total=total, progress=progress):
            yield made.assign(trip_id=names[done : done + len(made)])
            done += len(made)

    count = write_pieces(pieces(), out)
    _say_read_off(intervals_s, generator.recording.interval_s, say)
    return count


def _names_like(trips: gpd.GeoDataFrame, draws: int) -> list[str]:
    """Return what `draws` trips for each of the prepared ones are called."""
    return list(trips["trip_id"]) if draws == 1 else draw_names(trips["trip_id"], draws)


def generate_along(  # noqa: PLR0913  the request and what it is answered with
    generator: Generator,
    conditions: Conditions,
    n: int,
    out: Path,
    sampling: Sampling,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Write `n` trips for the same conditions; return how many. `say` is told what `generate_like` tells it."""
    stream = generator.stream((conditions for _ in range(n)), seed=seed, sampling=sampling, total=n, progress=progress)
    count = write_pieces((piece.assign(trip_id=[f"0-{name}" for name in piece["trip_id"]]) for piece in stream), out)
    own_s = generator.recording.interval_s
    _say_read_off({own_s if conditions.interval_s is None else conditions.interval_s}, own_s, say)
    return count


def _say_read_off(intervals_s: set[float], own_s: float, say: Callable[[str], None]) -> None:
    others = ", ".join(f"{float(one):g}" for one in sorted(intervals_s - {own_s}))
    if others:
        say(
            f"made with a point every {own_s:g} s, as the model learned; points every {others} s are read off along "
            "the route, smoother than recorded ones where they are closer."
        )


@dataclass(frozen=True)
class Like:
    """A request for trips for the conditions of every prepared one; all that the trips depend on, and the device."""

    checkpoint: Path
    trips: Path
    sampling: Sampling = field(default_factory=Sampling)
    plus: str | None = None
    draws: int = 1
    draw_time: bool = False
    seed: int = 0
    device: str = "auto"
    part_trips: int = PIECE  # as without a cluster, so that the same trips come out to the last digit

    def facts(self) -> dict[str, str | int | float | None]:
        """Return what decides the trips, files by their checksums."""
        Checkpoint(self.checkpoint).verify(GENERATOR)
        return {
            "checkpoint": digest(self.checkpoint / MANIFEST),
            "trips": digest(self.trips),
            "temperature": self.sampling.temperature,
            "top_p": self.sampling.top_p,
            "plus": self.plus,
            "draws": self.draws,
            "draw_time": self.draw_time,
            "seed": self.seed,
            "part_trips": self.part_trips,
            "version": VERSION,
        }


def generate_on(
    cluster: Cluster,
    request: Like,
    out: str,
    *,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Answer a request on a cluster, in parts that a rerun keeps; return how many trips there are.

    `out` is a folder or URL where the parts stay, or a file that they are joined to. `InputError` where it holds parts
    of another request, unless `force` makes them anew. `say` is told what `generate_like` tells it.
    """
    place = out if "://" in out else str(Path(out).absolute())  # workers may have another working folder
    whole = Path(place) if Path(out).suffix and "://" not in out else None
    if whole:
        check_ending(whole)
    given, store = count_trips(request.trips), Store(f"{whole}.parts" if whole else place)
    if force:
        forget(store)
    parts = Parts(store, request.facts(), -(-given // request.part_trips))
    load = partial(PartMaker, request, store)
    intervals_s: set[float] = set()
    try:
        for _, (number, part) in cluster.each(load, PartMaker.make, _missing(request, parts, intervals_s)):
            parts.add(number, part)
            if progress:
                progress(parts.rows, given * request.draws)
    finally:
        parts.save()
    store.sweep()
    _say_read_off(intervals_s, Recording.load(Checkpoint(request.checkpoint).recording).interval_s, say)
    if whole:
        parts.check()
        write_pieces(iter_trips(store.address, request.part_trips), whole)
        shutil.rmtree(store.address)
    return parts.rows


class PartMaker:
    """Makes parts of a request; one a worker, with the generator loaded once."""

    def __init__(self, request: Like, store: Store) -> None:
        self.request, self.store = request, store
        self.generator = Generator.load(request.checkpoint, request.device)
        self.route_generator = None if request.plus is None else self.generator.route_generator()

    def make(self, task: tuple[int, gpd.GeoDataFrame]) -> tuple[int, PartRecord]:
        """Generate and write the part of a number for its prepared trips."""
        number, like = task
        request, generator = self.request, self.generator
        first = number * request.part_trips * request.draws
        asked = several(conditions_of(like, generator.city), request.draws, draw_time=request.draw_time)
        if self.route_generator is not None and request.plus is not None:
            keys = keys_of(request.seed, first, len(asked))
            asked = self.route_generator.regenerate(asked, keys, request.sampling, told=request.plus)
        made = generator.trips_of(generator.completed(asked, first, request.seed), request.sampling)
        return number, write_part(self.store, number, made.assign(trip_id=_names_like(like, request.draws)))


def _missing(request: Like, parts: Parts, intervals_s: set[float]) -> Iterator[tuple[int, gpd.GeoDataFrame]]:
    """Yield what is needed to make the parts that are missing, read as it is asked for; remember its intervals."""
    missing = set(parts.missing)
    for number, piece in enumerate(_cut(request.trips, request.part_trips) if missing else ()):
        if number in missing:
            intervals_s.update(piece["interval"])
            yield number, piece


def _cut(trips: Path, rows: int) -> Iterator[gpd.GeoDataFrame]:
    """Yield what decides the conditions of `rows` trips at a time, across the files of a folder."""
    waiting: list[gpd.GeoDataFrame] = []
    for piece in iter_trips(trips, rows, needs=("roads", "percent")):
        waiting.append(piece[["trip_id", "start_time", "interval", "roads", "percent"]])
        while sum(map(len, waiting)) >= rows:
            joined = pd.concat(waiting, ignore_index=True)
            yield joined.iloc[:rows]
            waiting = [joined.iloc[rows:]]
    if sum(map(len, waiting)):
        yield pd.concat(waiting, ignore_index=True)
