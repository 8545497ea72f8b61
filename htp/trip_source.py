"""Generate trips for conditions, here or elsewhere: the calls that `htp.Generator` and `htp.Client` share.

Needs no torch: who asks a service has none to load.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from htp.errors import InputError
from htp.trips import Conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from htp.recording import Recording

MAX_TRIPS = 1_000_000  # in one request
MAX_SEED = 2**61 - 1  # four streams of random numbers a trip, numbered from four times the seed


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn."""

    temperature: float = 1.0  # 0: the likeliest token
    top_p: float = 1.0  # only the likeliest tokens that together have this probability

    def __post_init__(self) -> None:
        """Check the ranges; `InputError` says which is left."""
        if not 0.0 <= self.temperature <= 5.0:
            raise InputError(f"temperature is {self.temperature}; give 0 to 5.")
        if not 0.0 < self.top_p <= 1.0:
            raise InputError(f"top_p is {self.top_p}; give a number above 0 and up to 1.")


@dataclass(frozen=True)
class Piece:
    """Conditions whose trips are generated at once, and how."""

    conditions: list[Conditions]
    first: int  # place of the first in its request
    seed: int
    sampling: Sampling


class TripSource(ABC):
    """Whatever generates a trip for every condition, a piece of them at a time."""

    limit: int  # trips of one piece at most: memory stays the same for any number of trips
    recording: Recording  # the interval and the lengths that its models write

    @abstractmethod
    def _trips_of_piece(self, piece: Piece, progress: Callable[[int], None] | None) -> gpd.GeoDataFrame:
        """Return a trip for each of the conditions; `progress` hears how many more are made."""

    def stream(
        self,
        conditions: Iterable[Conditions],
        *,
        seed: int = 0,
        sampling: Sampling | None = None,
        total: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[gpd.GeoDataFrame]:
        """Yield a trip for every condition, in pieces, so that memory does not grow with their number."""
        if not 0 <= seed <= MAX_SEED:
            raise InputError(f"the seed is {seed}; give 0 to {MAX_SEED}.")
        waiting, done = iter(conditions), 0
        while some := list(islice(waiting, self.limit)):
            piece = Piece(some, done, seed, sampling or Sampling())
            yield self._trips_of_piece(piece, _counting(done, total, progress))
            done += len(some)

    def generate(
        self,
        conditions: Conditions | Sequence[Conditions],
        n: int = 1,
        *,
        seed: int = 0,
        temperature: float = 1.0,
        top_p: float = 1.0,
        progress: Callable[[int, int], None] | None = None,
    ) -> gpd.GeoDataFrame:
        """Return `n` trips for each of the conditions, one after another; `progress` hears (done, total)."""
        conditions = [conditions] if isinstance(conditions, Conditions) else list(conditions)
        check_count(len(conditions), n)
        each = (one for one in conditions for _ in range(n))
        names = [f"{place}-{copy}" for place in range(len(conditions)) for copy in range(n)]
        sampling = Sampling(temperature, top_p)
        pieces = list(self.stream(each, seed=seed, sampling=sampling, total=len(names), progress=progress))
        trips = gpd.GeoDataFrame(pd.concat(pieces, ignore_index=True), crs="EPSG:4326")
        return trips.assign(trip_id=names)


def check_count(conditions: int, n: int) -> None:
    """Raise `InputError` unless a sensible number of trips is wanted."""
    if conditions < 1 or n < 1:
        raise InputError("no trips are asked for; ask for at least one.")
    if conditions * n > MAX_TRIPS:
        raise InputError(f"{conditions * n:,} trips are asked for; one request takes at most {MAX_TRIPS:,}.")


def _counting(
    done: int, total: int | None, progress: Callable[[int, int], None] | None
) -> Callable[[int], None] | None:
    if progress is None:
        return None
    count, one = done, Lock()  # batches end in several threads

    def tell(more: int) -> None:
        nonlocal count
        with one:
            count += more
            progress(count, total or count)

    return tell
