"""Find how sharply tokens are to be drawn, so that generated trips vary their speed no more than real ones (ours).

A model that has not learned everything spreads its probability too widely: every token is plausible, but the
patterns of a trip come out too unequal. The logits of anchors, of the first layer's codes and of the finer layers'
are each multiplied by a factor, found on training trips: trips are generated from their conditions with the same
random numbers for every try, and their steps compared to the real ones (S-Dist, paper A.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htp.compute.random_streams import keys_of
from htp.conditions import prompt_conditions_of
from htp.evaluate.metrics import bin_edges, bin_numbers, jensen_shannon
from htp.generate import as_patterns
from htp.tokenizer.tokenizer import decoder_conditions_of
from htp.trip_source import Sampling

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.language.language import Language
    from htp.tokenizer.tokenizer import Tokenizer

TRIPS = 1500  # on which a try is judged; 3,000 choose the same factors
STEP = 1.25  # from one try to the next
MOST = 2.5
RESOLUTION_M = 1.0
Factors = tuple[float, ...]  # of anchors, the first layer, the finer layers


def fit_sharpness(
    language: Language, tokenizer: Tokenizer, trips: gpd.GeoDataFrame, *, seed: int = 0, report: Callable[[dict], None]
) -> None:
    """Set `language.model.sharpness` to what brings the steps of trips generated like `trips` closest to theirs.

    A factor grows as long as that helps, one after another, and again until none does.
    """
    chosen = trips.sample(min(TRIPS, len(trips)), random_state=seed).reset_index(drop=True)
    trial = _Trial(language, tokenizer, chosen, seed)
    best: Factors = (1.0, 1.0, 1.0)
    least = trial.divergence(best)
    report({"sharpness": best, "steps": round(least, 5)})
    at, failed = 0, 0
    while failed < len(best):
        tried = tuple(round(factor * STEP, 3) if at == i else factor for i, factor in enumerate(best))
        divergence = trial.divergence(tried) if max(tried) <= MOST else np.inf
        report({"sharpness": tried, "steps": round(divergence, 5)})
        if divergence < least:
            best, least, failed = tried, divergence, 0
        else:
            at, failed = (at + 1) % len(best), failed + 1
    trial.use(best)


class _Trial:
    """Generate trips like given ones and say how far their steps are from the real steps."""

    def __init__(self, language: Language, tokenizer: Tokenizer, trips: gpd.GeoDataFrame, seed: int) -> None:
        self.language, self.tokenizer = language, tokenizer
        self.conditions = prompt_conditions_of(trips, tokenizer.city)
        self.drives = decoder_conditions_of(trips, tokenizer.city, seed)
        self.keys = keys_of(seed, 0, len(trips))
        self.length_m = np.array([tokenizer.city.length_m[roads].sum() for roads in self.conditions.roads])
        real_m = steps_m(np.concatenate(list(trips["percent"])), self.conditions.points, self.length_m)
        self.edges = bin_edges(real_m, RESOLUTION_M)
        self.real = self._counts(real_m)

    def use(self, factors: Factors) -> None:
        """Let the model draw with these factors."""
        layers = len(self.language.model.vocabulary.codebook_sizes)
        self.language.model.sharpness = (factors[0], factors[1], *[factors[2]] * (layers - 1))

    def divergence(self, factors: Factors) -> float:
        """Return the Jensen–Shannon divergence of steps along the route, in bits."""
        self.use(factors)
        answers = self.language.generate(self.conditions, self.tokenizer.city, self.keys, Sampling())
        points = self.tokenizer.decode(as_patterns(answers, self.conditions.points), self.drives)
        return jensen_shannon(self.real, self._counts(steps_m(points.percent, points.counts, self.length_m)))

    def _counts(self, values_m: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(bin_numbers(values_m, self.edges), minlength=len(self.edges) + 1).astype(np.float64)


def steps_m(
    percent: NDArray[np.floating], counts: NDArray[np.int64], length_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the metres between points along their routes of `length_m` [B], given places [N] of all trips in a row."""
    trip = np.repeat(np.arange(len(counts)), counts)
    steps = np.diff(percent.astype(np.float64)) * length_m[trip[1:]]
    return steps[trip[1:] == trip[:-1]]
