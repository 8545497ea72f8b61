"""Score measured trips against measured real ones: the eight metrics of A.4, the number of points, and what is ours.

Every value is first replaced by the number of its bin (of its cell, of its road), so that a part of the trips, a
random half or a bootstrap sample, is scored by weighting trips, without measuring anything again.

`BEYOND` is what the paper does not ask. Speeds of trips with one interval say what S-Dist says; speed by hour says
more: a generator that ignores the clock has the right speeds at the wrong hours. Of 20,000 simulated trips against
20,000 others, as multiples of the noise floor (in brackets after their start times were shuffled among them): Speed by
hour 0.46 (8.0), Hour of day 0.74 (1.6); all others at most 0.59, whether shuffled or not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array

from htp.evaluate.measure import UNMATCHED
from htp.evaluate.metrics import bin_edges, bin_numbers, cosine, jensen_shannon, jensen_shannon_of_rows, top_f1

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from htp.evaluate.measure import Measures

    Histogram = NDArray[np.float64]

SPLITS = 3  # ours: random halvings that the noise floor is got from
HOURS = 24
# what a histogram counts: its field of Measures and the least width of its bins (ours): a metre is below what GPS can
# tell; a quarter of a metre for distances to the road, whose median is 3 m; for speed and acceleration what a metre
# makes of them at the paper's 15 s
RESOLUTION = {
    "travel_m": 1.0,
    "step_m": 1.0,
    "radius_m": 1.0,
    "road_distance_m": 0.25,
    "points": 1.0,
    "speed_kmh": 0.25,
    "acceleration_m_s2": 0.005,
}
# ours: edges of the speeds' bins within an hour; twentieths, as an hour holds a 24th of the values
HOURLY_PERCENTILES = (*range(0, 100, 5), 100)
PER_TRIP = {"travel_m", "radius_m", "points"}  # one value a trip; of the others one a point, but for
FEWER = {"step_m": 1, "speed_kmh": 1, "hourly_speed": 1, "acceleration_m_s2": 2}  # so many values fewer


def by_hour(real: Histogram, other: Histogram) -> float:
    """Return the divergence within each hour of the day, the mean weighted by what the real hours hold."""
    return jensen_shannon_of_rows(real.reshape(HOURS, -1), other.reshape(HOURS, -1))


@dataclass(frozen=True)
class Metric:
    """One number that compares two sets of trips."""

    name: str  # as in the paper's tables
    quantity: str  # the field of Measures it is computed from, or `hourly_speed`
    compare: Callable[[Histogram, Histogram], float]
    low_is_good: bool


METRICS = (
    Metric("T-Dist", "travel_m", jensen_shannon, low_is_good=True),
    Metric("S-Dist", "step_m", jensen_shannon, low_is_good=True),
    Metric("Radius", "radius_m", jensen_shannon, low_is_good=True),
    Metric("G-Den", "cell", cosine, low_is_good=False),
    Metric("G-Pat", "cell", top_f1, low_is_good=False),
    Metric("R-Den", "road", cosine, low_is_good=False),
    Metric("R-Pat", "road", top_f1, low_is_good=False),
    Metric("PR-Dist", "road_distance_m", jensen_shannon, low_is_good=True),
    Metric("Length", "points", jensen_shannon, low_is_good=True),  # Figure 7 as a number: points of a trip
)
BEYOND = (  # ours
    Metric("Speed", "speed_kmh", jensen_shannon, low_is_good=True),
    Metric("Acceleration", "acceleration_m_s2", jensen_shannon, low_is_good=True),
    Metric("Hour of day", "hour", jensen_shannon, low_is_good=True),  # of the points
    Metric("Speed by hour", "hourly_speed", by_hour, low_is_good=True),
)


@dataclass(frozen=True)
class Binning:
    """The bins that all sets of trips of one comparison are sorted into."""

    edges: dict[str, NDArray[np.float64]]  # by quantity; from the real trips alone
    cells: NDArray[np.int64]  # all cells with a point of any set, in order
    roads: int  # roads of the city

    @classmethod
    def of(cls, real: Measures, others: Sequence[Measures], roads: int) -> Binning:
        """Choose the bins by the real trips; the cells are those of all trips."""
        values = {quantity: getattr(real, quantity) for quantity in RESOLUTION}
        edges = {quantity: bin_edges(values[quantity], width) for quantity, width in RESOLUTION.items()}
        edges["hourly_speed"] = bin_edges(values["speed_kmh"], RESOLUTION["speed_kmh"], HOURLY_PERCENTILES)
        cells = np.unique(np.concatenate([np.unique(measures.cell) for measures in (real, *others)]))
        return cls(edges, cells, roads)


@dataclass(frozen=True)
class Binned:
    """A set of trips, each value as the number of its bin."""

    points: NDArray[np.int32]  # [B]
    bins: dict[str, NDArray[np.int32]]  # by quantity; trip after trip, for each as many as `_first` says
    sizes: dict[str, int]  # number of bins; what has this number is in none

    @classmethod
    def of(cls, measures: Measures, scale: Binning) -> Binned:
        """Sort measured trips into bins."""
        bins = {quantity: bin_numbers(getattr(measures, quantity), scale.edges[quantity]) for quantity in RESOLUTION}
        sizes = {quantity: len(edges) + 1 for quantity, edges in scale.edges.items()}
        speed = bin_numbers(measures.speed_kmh, scale.edges["hourly_speed"])
        bins["hourly_speed"] = measures.step_hour * np.int32(sizes["hourly_speed"]) + speed
        sizes["hourly_speed"] *= HOURS
        bins["hour"] = measures.hour.astype(np.int32)
        bins["cell"] = np.searchsorted(scale.cells, measures.cell).astype(np.int32)
        bins["road"] = np.where(measures.road == UNMATCHED, scale.roads, measures.road).astype(np.int32)
        return cls(measures.points, bins, sizes | {"hour": HOURS, "cell": len(scale.cells), "road": scale.roads})

    def histograms(self, weight: NDArray[np.float64] | None = None) -> dict[str, Histogram]:
        """Count the values in each bin, those of trip i `weight[i]` times (1 by default).

        With `weight` [B, S] there are S histograms of each quantity at once, [bins, S].
        """
        weight = np.ones(len(self.points)) if weight is None else weight
        found = {}
        for quantity, bins in self.bins.items():
            size, first = self.sizes[quantity], self._first(quantity)
            counts = csc_array((np.ones(len(bins)), bins, first), shape=(size + 1, len(self.points)))
            found[quantity] = np.asarray(counts @ weight)[:size]
        return found

    def _first(self, quantity: str) -> NDArray[np.int32]:
        """Return where the values of each trip begin, [B + 1]."""
        points = self.points
        values = np.ones_like(points) if quantity in PER_TRIP else np.maximum(points - FEWER.get(quantity, 0), 0)
        return np.r_[0, np.cumsum(values)].astype(np.int32)


def score(real: dict[str, Histogram], other: dict[str, Histogram]) -> dict[str, float]:
    """Return every metric by its name; a divergence is 1 where one side has no values."""
    metrics = (*METRICS, *BEYOND)
    return {metric.name: metric.compare(real[metric.quantity], other[metric.quantity]) for metric in metrics}


def noise_floor(real: Binned, seed: int = 0) -> dict[str, float]:
    """Return what two sets of trips as good as real, each of the size of this one, get by chance.

    There is one such set, not two: it is got from `SPLITS` random halvings, see `at_full_size`.
    """
    random = np.random.default_rng(seed)
    found = []
    for _ in range(SPLITS):
        half = halves(len(real.points), random)
        counts = real.histograms(np.column_stack([~half, half]).astype(np.float64))
        found.append(score(*({quantity: part[:, at] for quantity, part in counts.items()} for at in range(2))))
    return {m.name: at_full_size(m, [scores[m.name] for scores in found]) for m in (*METRICS, *BEYOND)}


def halves(trips: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Return which trips are in the second of two random halves."""
    found = np.zeros(trips, dtype=np.bool_)
    found[random.permutation(trips)[: trips // 2]] = True
    return found


def at_full_size(metric: Metric, found: Sequence[float]) -> float:
    """Return what a metric comes to between two whole sets, from what it is between halves (ours).

    Twice the trips halve divergences and what a cosine is below 1, which are squares of differences. Which places are
    the busiest is a matter of differences, so what an F1 is below 1 falls by the root of two.
    """
    perfect = 0.0 if metric.low_is_good else 1.0
    away = abs(float(np.mean(found)) - perfect)
    return abs(perfect - away / (math.sqrt(2.0) if metric.compare is top_f1 else 2.0))
