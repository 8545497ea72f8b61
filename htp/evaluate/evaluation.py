"""Evaluate generated trips: measure both sides, compare, and put each metric beside its noise floor (paper A.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htp.errors import InputError
from htp.evaluate.measure import Survey, number_of
from htp.evaluate.report import Bins, Line, Report, Size
from htp.evaluate.scores import METRICS, SPLITS, Binned, Scale, noise_floor, score
from htp.evaluate.validity import validity

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp.city import City
    from htp.evaluate.measure import Measures, Trips
    from htp.evaluate.validity import Validity

IN_TOWN_M = 500.0  # ours: real trips whose median point is farther than this from any road belong to another city


def evaluate(  # noqa: PLR0913  two tables and a city, then four options
    real: Trips,
    generated: Trips,
    city: City,
    *,
    ceiling: Trips | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Compare generated trips with real ones, each a table, a file or a folder of parts.

    `ceiling` is the real trips through the tokenizer and back, `seed` that of the random halves, `workers` the number
    of processes (one a core by default); `progress` is called with the trips measured so far and in all. Validity is
    checked where every generated trip has a real one of the same `trip_id`. `InputError` where a table is empty or
    lies elsewhere.
    """
    tables = {"real": real, "generated": generated} | ({} if ceiling is None else {"ceiling": ceiling})
    total = sum(map(number_of, tables.values()))
    measured: dict[str, Measures] = {}
    with Survey(city, workers=workers) as survey:
        for name, trips in tables.items():
            before = sum(len(measures.points) for measures in measured.values())
            measured[name] = survey.measure(trips, _counting_on(before, total, progress))
            if name == "real":
                _check_in_town(measured[name], city)
    return compare(measured, len(city), seed=seed, checked=validity(real, generated, city))


def compare(measured: dict[str, Measures], roads: int, *, seed: int = 0, checked: Validity | None = None) -> Report:
    """Compare measured trips: `real` with `generated` and, where given, `ceiling`; the city has so many `roads`."""
    scale = Scale.of(measured["real"], list(measured.values())[1:], roads)
    binned = {name: Binned.of(measures, scale) for name, measures in measured.items()}
    real = binned["real"].histograms()
    found = {name: score(real, other.histograms()) for name, other in binned.items() if name != "real"}
    floor = noise_floor(binned["real"], seed)
    lines = [
        Line(m.name, found["generated"][m.name], floor[m.name], found.get("ceiling", {}).get(m.name), m.low_is_good)
        for m in METRICS
    ]
    edges = {metric.name: scale.edges[metric.quantity] for metric in METRICS if metric.quantity in scale.edges}
    return Report(
        lines=tuple(lines),
        sizes={name: Size.of(measures) for name, measures in measured.items()},
        bins={name: Bins(len(edge) + 1, float(edge[0]), float(edge[-1])) for name, edge in edges.items()},
        splits=SPLITS,
        seed=seed,
        validity=checked,
    )


def _counting_on(before: int, total: int, progress: Callable[[int, int], None] | None) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress(before + done, total)


def _check_in_town(real: Measures, city: City) -> None:
    away_m = float(np.median(real.road_distance_m))
    if away_m > IN_TOWN_M:
        raise InputError(
            f"The real trips lie {away_m / 1000:.1f} km (median) from the roads of {city.name}; give the city that "
            "they were made in."
        )
