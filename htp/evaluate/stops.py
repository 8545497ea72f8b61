"""Compare how often, how long and where trips stop, and how they drive near junctions, by the hour of day (ours).

Each figure is a ratio of two sums over trips, such as stops over kilometres, so that drawing trips anew is weighting
them: the interval is that of generated over real if other trips of both sides are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from htp.evaluate.measure import KMH
from htp.evaluate.movement import STANDING_M_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.evaluate.measure import Measures

NEAR_M = 50.0  # of a junction, of three streets or more
ALL_DAY = "all day"
BANDS = {ALL_DAY: (0, 24), "night": (22, 6), "morning": (6, 10), "midday": (10, 16), "evening": (16, 22)}
RESAMPLES = 400
LEVEL_PERCENT = 95.0
STREAM = 3  # the samples' random numbers are those of nothing else
FIGURES = (
    "stops a kilometre",
    "seconds a stop",
    "share of the time standing",
    "share of the stops near a junction",
    "km/h near junctions",
    "km/h elsewhere",
    "mean size of acceleration, m/s²",
    "mean size of jerk, m/s³",
)


@dataclass(frozen=True)
class StopFigure:
    """One figure of real and generated trips within one part of the day."""

    name: str  # of FIGURES
    band: str  # of BANDS
    real: float
    generated: float
    low: float  # of generated over real: the interval that LEVEL_PERCENT of the samples lie in
    high: float


def stop_figures(real: Measures, generated: Measures, seed: int = 0) -> tuple[StopFigure, ...]:
    """Compare measured trips; figures that a side has nothing for in a part of the day are left out."""
    sums = [_sums(side) for side in (real, generated)]
    generator = np.random.default_rng([seed, STREAM])
    drawn = [_samples(*parts, generator) for parts in sums]
    whole = [_ratio(parts[0].sum(axis=0), parts[1].sum(axis=0)) for parts in sums]
    outside = (100 - LEVEL_PERCENT) / 2
    found = []
    for at, name in enumerate(FIGURES):
        for place, band in enumerate(BANDS):
            one, other = (values[at, place] for values in whole)
            ratios = drawn[1][:, at, place] / drawn[0][:, at, place]
            if not (np.isfinite(one) and np.isfinite(other) and np.isfinite(ratios).all()):
                continue
            low, high = np.percentile(ratios, [outside, 100 - outside])
            found.append(StopFigure(name, band, float(one), float(other), float(low), float(high)))
    return tuple(found)


def _samples(over: NDArray[np.float64], under: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return the figures of bootstrap samples of the trips, [S, F, bands]."""
    trips = len(over)
    weight = random.multinomial(trips, np.full(trips, 1 / trips), RESAMPLES).astype(np.float64)
    return _ratio(*(np.tensordot(weight, part, axes=1) for part in (over, under)))


def _ratio(over: NDArray[np.float64], under: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(over, under, out=np.full_like(over, np.nan), where=(under > 0) & (over > 0))


def _sums(side: Measures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each figure is of each trip in each part of the day, over what, [B, F, bands] both."""
    trips = len(side.points)
    trip = np.repeat(np.arange(trips), side.points - 1)
    step_s = side.interval_s.astype(np.float64)[trip]
    speed = side.step_m / step_s
    hour, first = side.step_hour.astype(np.int64), np.r_[True, trip[1:] != trip[:-1]]
    near = np.delete(side.junction_m, np.cumsum(side.points) - 1) < NEAR_M
    standing = speed < STANDING_M_S
    stops = standing & (first | ~np.r_[False, standing[:-1]])
    change, jerk, twice = _changes(speed, step_s, first)
    pairs = [
        (stops, side.step_m / 1000.0),
        (standing * step_s, stops),
        (standing * step_s, step_s),
        (stops & near, stops),
        (near * speed * KMH, near),
        (~near * speed * KMH, ~near),
        (np.abs(change), ~first),
        (np.abs(jerk), twice),
    ]
    cells = trip * 24 + hour
    columns = [
        _in_bands(np.bincount(cells, part.astype(float), trips * 24).reshape(trips, 24))
        for pair in pairs
        for part in pair
    ]
    both = np.stack(columns, axis=1)
    return both[:, ::2], both[:, 1::2]


def _changes(
    speed: NDArray[np.floating], step_s: NDArray[np.float64], first: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return acceleration into each step and its change, zero where a trip has none, and where it has a change."""
    change = np.where(first, 0.0, np.diff(speed, prepend=0.0) / step_s)
    twice = ~first & ~np.r_[True, first[:-1]]
    return change, np.where(twice, np.diff(change, prepend=0.0) / step_s, 0.0), twice


def _in_bands(hourly: NDArray[Any]) -> NDArray[np.float64]:
    """Return sums over the hours of each of BANDS, [B, bands]."""
    hours = np.arange(24)
    inside = [(hours >= a) & (hours < b) if a < b else (hours >= a) | (hours < b) for a, b in BANDS.values()]
    return hourly @ np.array(inside, dtype=np.float64).T
