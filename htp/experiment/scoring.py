"""Compare the trips of one method after another with the same real ones, which are measured once.

Bins, noise floor and bootstrap samples of all methods come from one seed, so the floor is the same in every result.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from htp.evaluate.evaluation import compare
from htp.evaluate.measure import Survey
from htp.evaluate.validity import validity

if TYPE_CHECKING:
    import geopandas as gpd

    from htp.city.network import City
    from htp.evaluate.measure import Measures

SEED = 0  # of the noise floor's halves and the bootstrap samples


class Scoring:
    """Real trips and what measures others; measures nothing until it is first asked."""

    def __init__(self, real: gpd.GeoDataFrame, city: City, *, workers: int | None = None) -> None:
        self.real, self.city, self._survey = real, city, Survey(city, workers=workers)

    def __enter__(self) -> Self:
        self._survey.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._survey.__exit__(*error)

    @cached_property
    def measured(self) -> Measures:
        """The real trips, measured."""
        return self._survey.measure(self.real)

    def compare(self, generated: gpd.GeoDataFrame, ceiling: gpd.GeoDataFrame | None = None) -> dict[str, Any]:
        """Return the report of `htp evaluate --json`, and under `lengths` the trips by number of points (Figure 7).

        `ceiling` is the real trips through the method's tokenizer and back.
        """
        measured = {"real": self.measured, "generated": self._survey.measure(generated)}
        if ceiling is not None:
            measured["ceiling"] = self._survey.measure(ceiling)
        checked = validity(self.real, generated, self.city)
        report: dict[str, Any] = json.loads(compare(measured, len(self.city), seed=SEED, checked=checked).to_json())
        return report | {"lengths": {name: _lengths(measured[name]) for name in ("real", "generated")}}


def _lengths(measures: Measures) -> dict[str, int]:
    """Return how many trips there are of each number of points."""
    points, trips = np.unique(measures.points, return_counts=True)
    return {str(n): int(count) for n, count in zip(points, trips, strict=True)}
