"""Ask a classifier to tell generated trips from real ones: a measure that no condition fulfils by itself (ours).

Gradient boosting sees how each trip moves (`movement.py`). It is trained on four fifths of the trips and asked about
the fifth it has not seen; a generated trip and the real one with its conditions always fall into the same fifth. AUC is
the share of pairs, one real and one generated, in which it finds the generated one: 0.5 where none can be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from htp.evaluate.checked_trips import FOLDS
from htp.evaluate.movement import descriptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.evaluate.measure import Measures

FEWEST = 200  # trips of a side; fewer tell nothing
MOST = 20_000  # trips of a side; more change the third digit
RESAMPLES = 200
LEVEL_PERCENT = 95.0
TOLD = 6  # descriptions that are named
RARELY = 0.01  # ours: what fewer of the trips have is left out
ENOUGH = 4000  # trips on which it is found what the classifier would miss


@dataclass(frozen=True)
class Telling:
    """A description that real and generated trips differ in."""

    name: str
    auc: float  # of this description alone, at least 0.5
    real: float  # median
    generated: float  # median


@dataclass(frozen=True)
class ToldApart:
    """How well a classifier tells generated trips from real ones."""

    auc: float
    low: float  # of the interval that LEVEL_PERCENT of the bootstrap samples lie in
    high: float
    real: int  # trips
    generated: int
    telling: tuple[Telling, ...]  # what the classifier would miss most, first; each with what it tells alone


def told_apart(real: Measures, generated: Measures, seed: int = 0) -> ToldApart | None:
    """Tell measured generated trips from real ones; None where a side has less than `FEWEST`, or a fold none of it."""
    if min(len(real.points), len(generated.points)) < FEWEST:
        return None
    generator = np.random.default_rng([seed, 2])
    sides = [_some(side, generator) for side in (real, generated)]
    x, fold = (np.concatenate(parts) for parts in zip(*sides, strict=True))
    x = np.where(np.isfinite(x).mean(axis=0) > RARELY, x, np.float32(0))
    y = np.repeat([0, 1], [len(part) for _, part in sides])
    if len(np.unique(2 * fold + y)) < 2 * FOLDS:
        return None  # names that many trips share
    score, lost = np.zeros(len(y)), np.zeros(x.shape[1])
    for number in range(FOLDS):
        asked = fold == number
        model = HistGradientBoostingClassifier(max_iter=200, learning_rate=0.06, l2_regularization=1.0, random_state=0)
        model.fit(x[~asked], y[~asked])
        score[asked] = model.decision_function(x[asked])
        if number == 0:
            few = generator.permutation(np.flatnonzero(asked))[:ENOUGH]
            lost = _lost(model, x[few], y[few], generator)
    telling = tuple(_telling(descriptions()[at], x[:, at], y) for at in np.argsort(-lost)[:TOLD])
    auc = float(roc_auc_score(y, score))
    low, high = _interval(score, y, generator)
    return ToldApart(auc, low, high, int((y == 0).sum()), int((y == 1).sum()), telling)


def _some(side: Measures, generator: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Return the descriptions and folds of `MOST` trips at random."""
    chosen = generator.permutation(len(side.points))[:MOST]
    return side.movement[chosen], side.fold[chosen]


def _lost(
    model: HistGradientBoostingClassifier,
    x: NDArray[np.float32],
    y: NDArray[np.int64],
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Return how much AUC is lost when a description is shuffled among the trips, for each of them, [F]."""
    whole, lost = roc_auc_score(y, model.decision_function(x)), []
    for at in range(x.shape[1]):
        shuffled = x.copy()
        shuffled[:, at] = generator.permutation(shuffled[:, at])
        lost.append(whole - roc_auc_score(y, model.decision_function(shuffled)))
    return np.array(lost)


def _telling(name: str, values: NDArray[np.float32], y: NDArray[np.int64]) -> Telling:
    known = np.isfinite(values)
    auc = float(roc_auc_score(y[known], values[known]))
    medians = [float(np.nanmedian(values[y == side])) for side in (0, 1)]
    return Telling(name, max(auc, 1 - auc), *medians)


def _interval(score: NDArray[np.float64], y: NDArray[np.int64], generator: np.random.Generator) -> tuple[float, float]:
    """Return where the AUC lies if other trips of both sides are drawn."""
    sides, drawn = [score[y == side] for side in (0, 1)], []
    for _ in range(RESAMPLES):
        real, generated = (generator.choice(side, len(side)) for side in sides)
        drawn.append(roc_auc_score(np.repeat([0, 1], [len(real), len(generated)]), np.r_[real, generated]))
    margin = (100 - LEVEL_PERCENT) / 2
    low, high = np.percentile(drawn, [margin, 100 - margin])
    return float(low), float(high)
