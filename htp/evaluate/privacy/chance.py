"""Estimate how well two sets of numbers can be told apart, each estimate with its interval.

Shares have exact binomial intervals (Clopper and Pearson): where nothing was found among 1,000, a bootstrap interval
would be 0 to 0, the exact one is 0 to 0.4 %. All others are bootstrap intervals, both sides drawn apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from htp.evaluate.bootstrap import AT_ONCE, LEVEL_PERCENT, RESAMPLES, drawn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FALSE_ALARMS = 0.01  # ours: share of others that a careful attacker takes for members


@dataclass(frozen=True)
class Estimate:
    """A number and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def exactly(cls, value: float) -> Estimate:
        """Return what is known without error."""
        return cls(value, value, value)


def auc(members: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Return how often a member's number is smaller than another's, ties half: 0.5 for equal distributions."""
    return float(_auc(members, others, np.ones((len(members), 1)), np.ones((len(others), 1)))[0])


def told_apart(members: NDArray[np.float64], others: NDArray[np.float64], random: np.random.Generator) -> Estimate:
    """Return `auc` with its bootstrap interval."""
    found = [
        _auc(members, others, drawn(len(members), AT_ONCE, random), drawn(len(others), AT_ONCE, random))
        for _ in range(RESAMPLES // AT_ONCE)
    ]
    return _between(auc(members, others), np.concatenate(found))


def caught(members: NDArray[np.float64], others: NDArray[np.float64], random: np.random.Generator) -> Estimate:
    """Return the share of members whose number is smaller than all but FALSE_ALARMS of the others'.

    What the average hides: an attacker who is sure of a few trips (Carlini et al. 2022, "from first principles").
    """

    def share(members: NDArray[np.float64], others: NDArray[np.float64]) -> float:
        return float((members < np.quantile(others, FALSE_ALARMS)).mean())

    return _bootstrapped(share, members, others, random)


def ratio_of_medians(one: NDArray[np.float64], other: NDArray[np.float64], random: np.random.Generator) -> Estimate:
    """Return how many times the other's median that of one is."""
    return _bootstrapped(lambda a, b: float(np.median(a) / max(np.median(b), 1e-9)), one, other, random)


def share(hits: NDArray[np.bool_]) -> Estimate:
    """Return the share of hits with its exact binomial interval."""
    count, total, outside = int(hits.sum()), len(hits), (100 - LEVEL_PERCENT) / 200
    low = stats.beta.ppf(outside, count, total - count + 1) if count else 0.0
    high = stats.beta.ppf(1 - outside, count + 1, total - count) if count < total else 1.0
    return Estimate(count / total, float(low), float(high))


def _auc(
    members: NDArray[np.float64],
    others: NDArray[np.float64],
    member_weight: NDArray[np.float64],
    other_weight: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the AUC of S samples, in which each number counts by its weight [B, S]; [S]."""
    order = np.argsort(others)
    before = np.concatenate([np.zeros((1, other_weight.shape[1])), np.cumsum(other_weight[order], axis=0)])
    left = np.searchsorted(others[order], members, side="left")
    right = np.searchsorted(others[order], members, side="right")
    greater = before[-1] - (before[left] + before[right]) / 2  # of the equal ones half
    wins: NDArray[np.float64] = (member_weight * greater).sum(axis=0)
    return wins / (member_weight.sum(axis=0) * before[-1])


def _bootstrapped(
    statistic: Callable[[NDArray[np.float64], NDArray[np.float64]], float],
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    random: np.random.Generator,
) -> Estimate:
    samples = [
        statistic(one[random.integers(0, len(one), len(one))], other[random.integers(0, len(other), len(other))])
        for _ in range(RESAMPLES)
    ]
    return _between(statistic(one, other), np.array(samples))


def _between(value: float, samples: NDArray[np.float64]) -> Estimate:
    outside = (100 - LEVEL_PERCENT) / 2
    low, high = np.percentile(samples, [outside, 100 - outside])
    return Estimate(value, min(float(low), value), max(float(high), value))
