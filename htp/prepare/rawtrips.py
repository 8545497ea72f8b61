"""Hold trips as they came from a file, before anything is known about their quality."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True)
class RawTrips:
    """B trips of N points in all, trip after trip; rows that are no trips are counted, and so are points left out."""

    trip_id: list[str]  # [B]
    count: NDArray[np.int64]  # [B] points of each trip, at least one
    lonlat: NDArray[np.float64]  # [N, 2] degrees, WGS 84; NaN where it could not be read
    time_s: NDArray[np.float64]  # [N] Unix seconds, UTC; NaN where it could not be read
    dropped: Counter[str] = field(default_factory=Counter)  # reason -> rows
    left_out: Counter[str] = field(default_factory=Counter)  # reason -> points of trips that others remain of
    examples: Mapping[str, str] = field(default_factory=dict)  # reason -> the first value or trip that shows it
    further: int = 0  # trips that are no rows of the source, but further drives of one

    def __len__(self) -> int:
        return len(self.trip_id)

    @property
    def row(self) -> NDArray[np.int64]:
        """The trip of each point, [N]."""
        return np.repeat(np.arange(len(self)), self.count)

    @property
    def first(self) -> NDArray[np.int64]:
        """Where each trip's points begin, and where the last one's end, [B + 1]."""
        return np.r_[0, np.cumsum(self.count)]

    def drop(self, bad: NDArray[np.bool_], reason: str) -> RawTrips:
        """Leave out the trips `bad` [B] and count them under `reason`."""
        if not bad.any():
            return self
        good = ~bad
        points = np.repeat(good, self.count)
        return replace(
            self,
            trip_id=[trip_id for trip_id, keep in zip(self.trip_id, good, strict=True) if keep],
            count=self.count[good],
            lonlat=self.lonlat[points],
            time_s=self.time_s[points],
            dropped=self.dropped + Counter({reason: int(bad.sum())}),
            examples={reason: f"trip {self.trip_id[int(np.argmax(bad))]}", **self.examples},
        )

    def leave_out(self, bad: NDArray[np.bool_], reason: str) -> RawTrips:
        """Leave out the points `bad` [N] and count them; a trip of which none remains is dropped for that reason."""
        if not bad.any():
            return self
        empty = np.bincount(self.row, ~bad, len(self)) == 0
        at = int(np.argmax(bad))
        lon, lat = self.lonlat[at]
        shown = self.examples.get(reason) or f"{lon:.6f}, {lat:.6f} in trip {self.trip_id[self.row[at]]}"
        rest = replace(self, examples={**self.examples, reason: shown}).drop(empty, reason)
        good = ~bad[np.repeat(~empty, self.count)]
        return replace(
            rest,
            count=np.bincount(rest.row, good, len(rest)).astype(np.int64),
            lonlat=rest.lonlat[good],
            time_s=rest.time_s[good],
            left_out=+(rest.left_out + Counter({reason: int((~good).sum())})),
        )

    @classmethod
    def of(
        cls,
        trip_id: Sequence[str],
        points: Sequence[NDArray[np.float64]],
        dropped: Counter[str],
        examples: Mapping[str, str] | None = None,
    ) -> RawTrips:
        """Join trips given as arrays of lon, lat, Unix seconds, [T, 3] each."""
        flat = np.concatenate([np.empty((0, 3)), *points])
        count = np.array([len(p) for p in points], dtype=np.int64)
        return cls(list(trip_id), count, flat[:, :2], flat[:, 2], dropped, examples=examples or {})


class Chunk(Protocol):
    """A piece of a source that a worker process turns into trips."""

    @property
    def size(self) -> int:
        """How much of the source it is, in the source's units."""
        ...

    def parse(self) -> RawTrips:
        """Return its trips; rows that are none are counted by reason."""
        ...


class Source(Protocol):
    """A file or folder of trips that can be read piece by piece."""

    path: Path
    notes: list[str]  # what was guessed, in sentences for the user

    @property
    def size(self) -> int:
        """How much there is, in rows or bytes."""
        ...

    def chunks(self) -> Iterator[Chunk]:
        """Yield the pieces, the same ones in the same order each time."""
        ...
