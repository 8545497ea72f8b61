"""Count the points of real and generated trips on cells of 100 m and on roads, for any hours of the day (paper A.4).

The most frequent places of both sides and what they have in common are G-Pat and R-Pat with their places named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htp.evaluate.measure import UNMATCHED
from htp.evaluate.metrics import TOP_K, cosine
from htp.evaluate.scores import METRICS, SPLITS, at_full_size, halves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.evaluate.measure import Measures

NEITHER, HIT, MISSED, EXTRA = range(4)  # of the most frequent places: in both, only of real, only of generated trips


@dataclass(frozen=True)
class Density:
    """Points on C places, those of either side."""

    places: NDArray[np.int64]  # [C] keys of cells (`htp.city.grid`) or road_id, in order
    real: NDArray[np.int64]  # [C] points
    generated: NDArray[np.int64]  # [C] points; all 0 where there are no generated trips

    @property
    def difference(self) -> NDArray[np.int64]:
        """Generated less real points, [C]."""
        return self.generated - self.real

    @property
    def similarity(self) -> float:
        """Cosine of both sides, 0 to 1: G-Den or R-Den."""
        return cosine(self.real.astype(float), self.generated.astype(float))

    def top(self, k: int = TOP_K) -> Top:
        """Return the `k` most frequent places of each side; of places with equal counts the first is taken."""
        kind = np.full(len(self.places), NEITHER, dtype=np.uint8)
        one, two = _most(self.real, k), _most(self.generated, k)
        kind[one], kind[two] = MISSED, EXTRA
        kind[np.intersect1d(one, two)] = HIT
        return Top(kind, len(one), len(two))


@dataclass(frozen=True)
class Floor:
    """What chance alone makes of trips as good as the real ones, see `htp.evaluate.scores.noise_floor`."""

    similarity: float  # of G-Den or R-Den
    f1: float  # of G-Pat or R-Pat


@dataclass(frozen=True)
class Top:
    """The most frequent places of both sides."""

    kind: NDArray[np.uint8]  # [C] NEITHER, HIT, MISSED or EXTRA
    real: int  # places chosen of the real trips: fewer than asked for where there are fewer
    generated: int

    def number(self, kind: int) -> int:
        """Return how many places are of a kind."""
        return int((self.kind == kind).sum())

    @property
    def f1(self) -> float:
        """Share in common: G-Pat or R-Pat."""
        both = self.real + self.generated
        return 2 * self.number(HIT) / both if both else 0.0


def cell_density(real: Measures, generated: Measures | None, hours: tuple[int, int] = (0, 24)) -> Density:
    """Count points on cells; `hours` are those of the day from the first up to, and without, the second."""
    return _density(real, generated, "cell", hours)


def road_density(real: Measures, generated: Measures | None, hours: tuple[int, int] = (0, 24)) -> Density:
    """Count points on roads, as `cell_density`; points without a road are left out."""
    return _density(real, generated, "road", hours)


def cell_floor(real: Measures, hours: tuple[int, int] = (0, 24), seed: int = 0) -> Floor:
    """Return the noise floor of `cell_density`, as `htp.evaluate.scores.noise_floor` has it for the whole day."""
    return _floor(real, "cell", hours, seed)


def road_floor(real: Measures, hours: tuple[int, int] = (0, 24), seed: int = 0) -> Floor:
    """Return the noise floor of `road_density`, as `cell_floor`."""
    return _floor(real, "road", hours, seed)


def _floor(real: Measures, field: str, hours: tuple[int, int], seed: int) -> Floor:
    kept = _counts(real, field, hours)
    places = getattr(real, field)[kept].astype(np.int64)
    trip = np.repeat(np.arange(len(real.points)), real.points)[kept]
    random, found = np.random.default_rng(seed), []
    for _ in range(SPLITS):
        half = halves(len(real.points), random)[trip]
        found.append(_between(places[~half], places[half]))
    density, pattern = (metric for metric in METRICS if metric.quantity == field)
    return Floor(
        at_full_size(density, [between.similarity for between in found]),
        at_full_size(pattern, [between.top().f1 for between in found]),
    )


def _density(real: Measures, generated: Measures | None, field: str, hours: tuple[int, int]) -> Density:
    return _between(_places(real, field, hours), _places(generated, field, hours))


def _between(one: NDArray[np.int64], two: NDArray[np.int64]) -> Density:
    """Return the density of points at these places, those of either side."""
    places, index = np.unique(np.concatenate([one, two]), return_inverse=True)
    counts = [np.bincount(part, minlength=len(places)) for part in (index[: len(one)], index[len(one) :])]
    return Density(places, *counts)


def _places(side: Measures | None, field: str, hours: tuple[int, int]) -> NDArray[np.int64]:
    if side is None:
        return np.zeros(0, dtype=np.int64)
    found: NDArray[np.int64] = getattr(side, field)[_counts(side, field, hours)].astype(np.int64)
    return found


def _counts(side: Measures, field: str, hours: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which points count, [N]."""
    inside: NDArray[np.bool_] = (side.hour >= hours[0]) & (side.hour < hours[1])
    return inside & (side.road != UNMATCHED) if field == "road" else inside


def _most(counts: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    order = np.argsort(-counts, kind="stable")[:k]
    return order[counts[order] > 0]


def main_roads(measured: Measures, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the road that most points in each of these cells lie on, UNMATCHED where there is none, [C]."""
    some = np.isin(measured.cell, cells) & (measured.road != UNMATCHED)
    pairs, counts = np.unique(np.column_stack([measured.cell[some], measured.road[some]]), axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    found, first = np.unique(pairs[order, 0], return_index=True)
    roads = np.full(len(cells), UNMATCHED, dtype=np.int64)
    known = np.isin(cells, found)
    roads[known] = pairs[order, 1][first[np.searchsorted(found, cells[known])]]
    return roads
