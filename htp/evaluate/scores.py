"""Score measured trips against measured real ones: the eight metrics of A.4, and the number of points.

Every value is first replaced by the number of its bin (of its cell, of its road), so that a part of the trips, a
random half or a bootstrap sample, is scored by weighting trips, without measuring anything again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htp.evaluate.metrics import bin_edges, bin_numbers, cosine, jensen_shannon, top_f1

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from htp.evaluate.measure import Measures

    Histogram = NDArray[np.float64]

SPLITS = 3  # ours: random halvings that the noise floor is the mean of
# what a histogram counts: its field of Measures and the least width of its bins (ours): a metre is below what GPS can
# tell; a quarter of a metre for distances to the road, whose median is 3 m
RESOLUTION = {"travel_m": 1.0, "step_m": 1.0, "radius_m": 1.0, "road_distance_m": 0.25, "points": 1.0}


@dataclass(frozen=True)
class Metric:
    """One number that compares two sets of trips."""

    name: str  # as in the paper's tables
    quantity: str  # the field of Measures it is computed from
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


@dataclass(frozen=True)
class Scale:
    """The bins that all sets of trips of one comparison are sorted into."""

    edges: dict[str, NDArray[np.float64]]  # by quantity; from the real trips alone
    cells: NDArray[np.int64]  # all cells with a point of any set, in order
    roads: int  # roads of the city

    @classmethod
    def of(cls, real: Measures, others: Sequence[Measures], roads: int) -> Scale:
        """Choose the bins by the real trips; the cells are those of all trips."""
        edges = {quantity: bin_edges(getattr(real, quantity), width) for quantity, width in RESOLUTION.items()}
        cells = np.unique(np.concatenate([np.unique(measures.cell) for measures in (real, *others)]))
        return cls(edges, cells, roads)


@dataclass(frozen=True)
class Binned:
    """A set of trips, each value as the number of its bin."""

    points: NDArray[np.int32]  # [B]
    bins: dict[str, NDArray[np.int32]]  # by quantity; [B], [N] or, for steps, [N - B]; -1: in no bin
    sizes: dict[str, int]  # number of bins

    @classmethod
    def of(cls, measures: Measures, scale: Scale) -> Binned:
        """Sort measured trips into bins."""
        bins = {quantity: bin_numbers(getattr(measures, quantity), edges) for quantity, edges in scale.edges.items()}
        bins["cell"] = np.searchsorted(scale.cells, measures.cell).astype(np.int32)
        bins["road"] = measures.road
        sizes = {quantity: len(edges) + 1 for quantity, edges in scale.edges.items()}
        return cls(measures.points, bins, sizes | {"cell": len(scale.cells), "road": scale.roads})

    def histograms(self, weight: NDArray[np.float64] | None = None) -> dict[str, Histogram]:
        """Count the values in each bin, those of trip i `weight[i]` times (1 by default)."""
        weight = np.ones(len(self.points)) if weight is None else weight
        of_point, of_step = np.repeat(weight, self.points), np.repeat(weight, self.points - 1)
        weights = dict.fromkeys(("travel_m", "radius_m", "points"), weight) | {"step_m": of_step}
        found = {}
        for quantity, bins in self.bins.items():
            inside = bins >= 0
            weighted = weights.get(quantity, of_point)[inside]
            found[quantity] = np.bincount(bins[inside], weighted, self.sizes[quantity]).astype(np.float64)
        return found


def score(real: dict[str, Histogram], other: dict[str, Histogram]) -> dict[str, float]:
    """Return every metric by its name."""
    return {metric.name: metric.compare(real[metric.quantity], other[metric.quantity]) for metric in METRICS}


def noise_floor(real: Binned, seed: int = 0) -> dict[str, float]:
    """Score one random half of the real trips against the other, the mean of `SPLITS` such halvings.

    It is what trips that are as good as real would get, were there half as many of them: a divergence between sets of
    full size would come to about half of it.
    """
    random = np.random.default_rng(seed)
    whole = real.histograms()
    results = []
    for _ in range(SPLITS):
        half = np.zeros(len(real.points))
        half[random.permutation(len(half))[: len(half) // 2]] = 1.0
        one = real.histograms(half)
        results.append(score(one, {quantity: counts - one[quantity] for quantity, counts in whole.items()}))
    return {name: float(np.mean([result[name] for result in results])) for name in results[0]}
