"""Put the distributions of generated trips over those of real ones: histograms to look at, divergence, noise floor.

The histograms have bins of one round width that the eye can compare; the divergences keep the bins of `Binning`, which
follow the real values' percentiles and see what plain bins would miss (`htp.evaluate.metrics`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htp.evaluate.scores import BEYOND, HOURS, METRICS, Binned, Binning, noise_floor, score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.evaluate.measure import Measures

SHOWN = ("Length", "T-Dist", "S-Dist", "Radius", "PR-Dist", "Speed", "Hour of day")  # metrics, in this order
QUANTITY = {metric.name: metric.quantity for metric in (*METRICS, *BEYOND) if metric.name in SHOWN}
WHOLE = {"points", "hour"}  # values are whole numbers
MOST_BINS = 32  # ours
TAIL_PERCENTILE = 99.0  # ours: the last bin holds all that is greater than this share of either side's values


@dataclass(frozen=True)
class Distribution:
    """One quantity of real and generated trips."""

    metric: str  # of SHOWN
    edges: NDArray[np.float64]  # [K + 1] of the histograms
    open_end: bool  # the last bin also holds what lies beyond its upper edge
    real: NDArray[np.float64]  # [K] percent of the values
    generated: NDArray[np.float64] | None  # [K]; None where there are no generated trips
    divergence: float | None  # Jensen–Shannon, 0 to 1
    floor: float  # that of as many trips as good as the real ones by chance alone


def distributions(real: Measures, generated: Measures | None, roads: int, seed: int = 0) -> list[Distribution]:
    """Compare measured trips, those of `SHOWN` in order; the city has so many `roads`, `seed` is that of the floor."""
    scale = Binning.of(real, [generated] if generated else [], roads)
    binned = Binned.of(real, scale)
    floor = noise_floor(binned, seed)
    found = score(binned.histograms(), Binned.of(generated, scale).histograms()) if generated else {}
    return [_distribution(name, real, generated, found.get(name), floor[name]) for name in SHOWN]


def _distribution(
    metric: str, real: Measures, generated: Measures | None, divergence: float | None, floor: float
) -> Distribution:
    sides = [np.asarray(getattr(side, QUANTITY[metric]), dtype=float) for side in (real, generated) if side]
    edges = np.arange(HOURS + 1.0) if metric == "Hour of day" else bins(sides, whole=QUANTITY[metric] in WHOLE)
    percents = [_percent(values, edges) for values in sides]
    return Distribution(
        metric=metric,
        edges=edges,
        open_end=any(bool((values >= edges[-1]).any()) for values in sides),
        real=percents[0],
        generated=percents[1] if generated else None,
        divergence=divergence,
        floor=floor,
    )


def bins(sides: list[NDArray[np.float64]], *, whole: bool) -> NDArray[np.float64]:
    """Return the edges of at most `MOST_BINS` + 1 bins of one round width, from the least value to the tail."""
    low = min(float(values.min()) for values in sides)
    high = max(float(np.percentile(values, TAIL_PERCENTILE, method="higher")) for values in sides)
    width = _round_width((high - low) / MOST_BINS)
    width = max(1.0, np.ceil(width)) if whole else width
    first, last = np.floor(low / width), np.floor(high / width) + 1
    return np.arange(first, last + 1) * width


def _round_width(least: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten that is not below `least`."""
    power = 10.0 ** np.floor(np.log10(max(least, 1e-9)))
    return float(next(power * step for step in (1, 2, 5, 10) if power * step >= least * (1 - 1e-9)))


def _percent(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    within = np.minimum(values, np.nextafter(edges[-1], edges[0]))  # the tail is the last bin's
    return np.histogram(within, edges)[0] / len(values) * 100
