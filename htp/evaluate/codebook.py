"""Look into a codebook: what stands behind a code, how often it is used, which trips share codes (Figures 9, 11).

Takes trips with their codes as arrays; knows nothing of the network that made them. A pattern stands for 8 points of
its trip and for the steps into them (the encoder sees each point with the step that led there):

    points   0 1 2 3 4 5 6 7 | 8 9 10 11 12 13 14 15 | 16 17     a trip of 18 points
    pattern         0        |           1           |   2       the last may have fewer

A *prefix* is the first codes of a pattern, layer 1 first: (17,) is token a_17, (17, 4) is a_17 b_4, () is any pattern.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from htp.city.linear_referencing import RouteLines
from htp.compute.ragged import Ragged
from htp.errors import InputError
from htp.evaluate.profile import Profile
from htp.trips import POINTS_PER_PATTERN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city import City

Prefix = tuple[int, ...]
EXAMPLES = 8  # patterns drawn behind a mean (ours)
QUARTILES = (0.25, 0.5, 0.75)
LETTERS = "abcdefghijklmnop"  # of the layers


@dataclass(frozen=True)
class CodebookUse:
    """How often each code of a layer is used."""

    counts: NDArray[np.int64]  # [codes of the layer]

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the patterns that each code is used in."""
        return self.counts / max(int(self.counts.sum()), 1)

    @property
    def unused(self) -> int:
        """Number of codes that no pattern uses."""
        return int((self.counts == 0).sum())

    @property
    def perplexity(self) -> float:
        """Number of codes that, used equally often, would be as varied: exp of the entropy."""
        share = self.share[self.counts > 0]
        return float(np.exp(-(share * np.log(share)).sum()))


@dataclass(frozen=True)
class Behind:
    """What stands behind one code: how its patterns move."""

    code: int
    count: int  # patterns
    path_m: NDArray[np.float64]  # [9, 2] mean place right of and ahead of where the pattern starts
    examples_m: NDArray[np.float32]  # [up to EXAMPLES, 9, 2] single patterns; NaN where one has ended
    speed_kmh: NDArray[np.float64]  # [3, 8] quartiles of the speed of each step; NaN where no pattern has the step

    @property
    def mean_kmh(self) -> float:
        """Mean over the steps of the median speed."""
        return float(np.nanmean(self.speed_kmh[1]))


@dataclass(frozen=True)
class Codebook:
    """The P patterns of B trips, trip after trip: their codes, and the movement that they stand for."""

    codes: NDArray[np.int16]  # [P, L]
    sizes: tuple[int, ...]  # [L] codes of each layer
    first: NDArray[np.int64]  # [B + 1] where each trip's patterns begin
    first_point: NDArray[np.int64]  # [P] among the points of all trips
    stop_point: NDArray[np.int64]  # [P] after the pattern's last point
    path_m: NDArray[np.float32]  # [P, 9, 2] places of the point before and its own, right of and ahead of the former
    speed_kmh: NDArray[np.float32]  # [P, 8] of the step into each point; NaN where there is none

    @classmethod
    def of(cls, trips: gpd.GeoDataFrame, city: City, sizes: Sequence[int]) -> Codebook:
        """Read trips with `patterns`, `roads` and `percent`; `InputError` where their codes do not fit their points."""
        codes = [np.asarray(flat, dtype=np.int16).reshape(-1, len(sizes)) for flat in trips["patterns"]]
        points = shapely.get_num_coordinates(trips.geometry.to_numpy())
        counts = np.array([len(part) for part in codes], dtype=np.int64)
        _check(trips, codes, points, sizes)
        numbers = Ragged.ranges(0, counts)
        row = numbers.row
        start_of_trip = (np.cumsum(points) - points)[row]
        first_point = start_of_trip + numbers.flat * POINTS_PER_PATTERN
        stop_point = np.minimum(first_point + POINTS_PER_PATTERN, start_of_trip + points[row])
        path_m, speed_kmh = _movement(trips, city, row, first_point, stop_point)
        return cls(np.concatenate(codes), tuple(sizes), numbers.first, first_point, stop_point, path_m, speed_kmh)

    @property
    def trip(self) -> NDArray[np.int64]:
        """Row of each pattern's trip, [P]."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))

    def use(self, layer: int) -> CodebookUse:
        """Count the codes of a layer, layers from 0."""
        return CodebookUse(np.bincount(self.codes[:, layer], minlength=self.sizes[layer]))

    def where(self, sequence: Sequence[Prefix]) -> NDArray[np.int64]:
        """Return the patterns at which consecutive patterns of one trip begin with these prefixes, in order."""
        starts = len(self.codes) - len(sequence) + 1
        if starts <= 0:
            return np.zeros(0, dtype=np.int64)
        fits = self.trip[:starts] == self.trip[len(sequence) - 1 :]
        for step, prefix in enumerate(sequence):
            for layer, code in enumerate(prefix):
                fits &= self.codes[step : step + starts, layer] == code
        return np.flatnonzero(fits)

    def behind(self, rows: NDArray[np.int64], layer: int) -> list[Behind]:
        """Return what stands behind each code of a layer among the patterns `rows`, in order of the codes."""
        codes = self.codes[rows, layer].astype(np.int64)
        groups = pd.DataFrame(self.speed_kmh[rows]).groupby(codes)
        quartiles = np.stack([groups.quantile(share).to_numpy() for share in QUARTILES], axis=1)
        order = np.argsort(codes, kind="stable")
        found, first, counts = np.unique(codes[order], return_index=True, return_counts=True)
        members = [rows[order[at : at + count]] for at, count in zip(first, counts, strict=True)]
        return [
            Behind(int(code), len(own), _mean_path(self.path_m[own]), self.path_m[_spread(own)], speed_kmh)
            for code, own, speed_kmh in zip(found, members, quartiles, strict=True)
        ]


def _check(
    trips: gpd.GeoDataFrame, codes: list[NDArray[np.int16]], points: NDArray[np.int64], sizes: Sequence[int]
) -> None:
    for name, own, count in zip(trips["trip_id"], codes, points, strict=True):
        wanted = -(-count // POINTS_PER_PATTERN)
        if len(own) != wanted:
            raise InputError(f"trip {name} has {len(own)} patterns; its {count} points take {wanted}. Encode it again.")
        if (own < 0).any() or (own >= np.asarray(sizes)).any():
            raise InputError(f"trip {name} has codes beyond its layers, which have {tuple(sizes)}. Encode it again.")


def _movement(
    trips: gpd.GeoDataFrame,
    city: City,
    row: NDArray[np.int64],
    first_point: NDArray[np.int64],
    stop_point: NDArray[np.int64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return path [P, 9, 2] and speed [P, 8] of patterns of the trips `row`; a trip's first point has no step."""
    profile = Profile.of(trips, city)
    lines = RouteLines.of(city, list(trips["roads"]))
    xy_m = city.to_metres(shapely.get_coordinates(trips.geometry.to_numpy()))
    places = first_point[:, None] - 1 + np.arange(POINTS_PER_PATTERN + 1)
    ended = places >= stop_point[:, None]
    places = np.clip(places, profile.first[row][:, None], (stop_point - 1)[:, None])
    percent = np.concatenate([np.asarray(values, dtype=float) for values in trips["percent"]])
    ahead = lines.direction(row, percent[places[:, 0]] * lines.length_m[row])
    moved = xy_m[places] - xy_m[places[:, :1]]
    right = moved[..., 0] * ahead[:, None, 1] - moved[..., 1] * ahead[:, None, 0]
    path_m = np.stack([right, (moved * ahead[:, None]).sum(axis=-1)], axis=-1)
    path_m[ended] = np.nan
    speed_kmh = profile.speed_kmh[places[:, :-1]]  # of a point: towards the next
    speed_kmh[ended[:, 1:] | (places[:, :-1] == places[:, 1:])] = np.nan
    return path_m.astype(np.float32), speed_kmh.astype(np.float32)


def _mean_path(paths_m: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean of the paths at each point, [9, 2], over those that have not ended; NaN where all have."""
    there = ~np.isnan(paths_m[..., 0])
    total = np.nansum(paths_m, axis=0, dtype=np.float64)
    return np.where(np.any(there, axis=0, keepdims=True).T, total / np.maximum(there.sum(axis=0), 1)[:, None], np.nan)


def _spread(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return up to `EXAMPLES` of the rows, evenly spread."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, EXAMPLES).round().astype(np.int64))]


def name_of(prefix: Prefix) -> str:
    """Return how a prefix is written: "a_17.b_4", or "*" for any pattern."""
    return ".".join(f"{LETTERS[layer]}_{code}" for layer, code in enumerate(prefix)) or "*"


def parse_sequence(text: str, sizes: Sequence[int]) -> tuple[Prefix, ...]:
    """Read prefixes as `name_of` writes them, separated by commas; `InputError` says which is wrong."""
    return tuple(_parse(part.strip(), sizes) for part in text.split(",") if part.strip())


def _parse(text: str, sizes: Sequence[int]) -> Prefix:
    if text == "*":
        return ()
    prefix = []
    for layer, part in enumerate(text.split(".")):
        letter, _, digits = part.strip().partition("_")
        known = layer < len(sizes) and letter == LETTERS[layer] and digits.isascii() and digits.isdecimal()
        if not known or int(digits[:6]) >= sizes[layer]:
            layers = ", ".join(f"{LETTERS[at]}_0 to {LETTERS[at]}_{size - 1}" for at, size in enumerate(sizes))
            raise InputError(
                f"“{text[:40]}” is no token; write a_17, or a_17.b_4 with its next layers; there are {layers}."
            )
        prefix.append(int(digits))
    return tuple(prefix)
