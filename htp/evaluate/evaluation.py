"""Evaluate generated trips: measure both sides, compare, and put each metric beside its noise floor (paper A.4).

What the paper does not ask stands apart: the metrics of `BEYOND`, whether a classifier tells the trips apart, and how
close they come to training trips.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htp.errors import InputError
from htp.evaluate.bootstrap import LEVEL_PERCENT, RESAMPLES, intervals
from htp.evaluate.calibration import calibration
from htp.evaluate.checked_trips import number_of
from htp.evaluate.closest import closest_training
from htp.evaluate.measure import Survey
from htp.evaluate.report import Bins, Line, Report, Size
from htp.evaluate.scores import BEYOND, METRICS, SPLITS, Binned, Binning, noise_floor, score
from htp.evaluate.stops import stop_figures
from htp.evaluate.told_apart import told_apart
from htp.evaluate.validity import validity

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp.city import City
    from htp.evaluate.calibration import Calibration
    from htp.evaluate.checked_trips import Trips
    from htp.evaluate.closest import Closest
    from htp.evaluate.measure import Measures
    from htp.evaluate.validity import Validity

IN_TOWN_M = 500.0  # ours: real trips whose median point is farther than this from any road belong to another city


def evaluate(  # noqa: PLR0913  two tables and a city, then six options
    real: Trips,
    generated: Trips,
    city: City,
    *,
    ceiling: Trips | None = None,
    train: Trips | None = None,
    draws: Trips | None = None,
    seed: int = 0,
    workers: int | None = None,
    ray: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Compare generated trips with real ones, each a table, a file or a folder of parts.

    `ceiling` is the real trips through the tokenizer and back, `train` the trips that the generator was trained on, to
    look for copies of them, `draws` several trips for the conditions of each of some real ones (`calibration.py`),
    `seed` that of the floor's parts and of bootstrap samples, `workers` the number of processes (one a core by
    default), `ray` the address of a Ray cluster to measure on instead; `progress` is called with the trips measured so
    far and in all. Validity is checked where every generated trip has a real one of the same `trip_id`. `InputError`
    where a table is empty or lies elsewhere.
    """
    tables = {"real": real, "generated": generated} | ({} if ceiling is None else {"ceiling": ceiling})
    total = sum(map(number_of, tables.values()))
    checked = validity(real, generated, city)  # first, for it may refuse
    closest = None if train is None else closest_training(train, real, generated, city, workers=workers)
    calibrated = None if draws is None else calibration(real, draws, city)
    measured: dict[str, Measures] = {}
    with Survey(city, workers=workers, ray=ray) as survey:
        for name, trips in tables.items():
            before = sum(len(measures.points) for measures in measured.values())
            measured[name] = survey.measure(trips, _counting_on(before, total, progress))
            if name == "real":
                _check_in_town(measured[name], city)
    return compare(measured, len(city), seed=seed, checked=checked, closest=closest, calibrated=calibrated)


def compare(
    measured: dict[str, Measures],
    roads: int,
    *,
    seed: int = 0,
    checked: Validity | None = None,
    closest: Closest | None = None,
    calibrated: Calibration | None = None,
) -> Report:
    """Compare measured trips: `real` with `generated` and, where given, `ceiling`; the city has so many `roads`."""
    scale = Binning.of(measured["real"], list(measured.values())[1:], roads)
    binned = {name: Binned.of(measures, scale) for name, measures in measured.items()}
    lines = _lines(binned, seed)
    edges = {m.name: scale.edges[m.quantity] for m in (*METRICS, *BEYOND) if m.quantity in scale.edges}
    return Report(
        lines=tuple(lines[metric.name] for metric in METRICS),
        beyond=tuple(lines[metric.name] for metric in BEYOND if metric.name in lines),
        sizes={name: Size.of(measures) for name, measures in measured.items()},
        bins={name: Bins(len(edges[name]) + 1, float(edges[name][0]), float(edges[name][-1])) for name in edges},
        splits=SPLITS,
        resamples=RESAMPLES,
        level_percent=LEVEL_PERCENT,
        seed=seed,
        validity=checked,
        closest=closest,
        told=told_apart(measured["real"], measured["generated"], seed),
        stops=stop_figures(measured["real"], measured["generated"], seed),
        calibration=calibrated,
    )


def _lines(binned: dict[str, Binned], seed: int) -> dict[str, Line]:
    """Return the line of each metric by its name, without those that the real trips have no values for."""
    real = binned["real"].histograms()
    found = {name: score(real, other.histograms()) for name, other in binned.items() if name != "real"}
    floor = noise_floor(binned["real"], seed)
    interval = intervals(binned["real"], binned["generated"], found["generated"], seed)
    return {
        m.name: Line(
            name=m.name,
            value=found["generated"][m.name],
            floor=floor[m.name],
            ceiling=found["ceiling"][m.name] if "ceiling" in found else None,
            low_is_good=m.low_is_good,
            bootstrap=interval[m.name],
        )
        for m in (*METRICS, *BEYOND)
        if m in METRICS or real[m.quantity].any()
    }


def _counting_on(before: int, total: int, progress: Callable[[int, int], None] | None) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress(before + done, total)


def _check_in_town(real: Measures, city: City) -> None:
    away_m = float(np.median(real.road_distance_m))
    if away_m > IN_TOWN_M:
        raise InputError(
            f"The real trips lie {away_m / 1000:.1f} km (median) from the roads of {city.name}; give the city that "
            "they were made in."
        )
