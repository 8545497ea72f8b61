"""Lay results out as the paper's tables: 1 (all methods), 2 (ablations), 3 (roads made up), 4 (data), and speed.

Methods are compared as they are printed: what shows the same digits shares its mark. The best of a column is bold, the
second underlined, the noise floor and the ceiling are references and take no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from htp.experiment.results import LENGTH, METRICS
from htp.experiment.settings import budget_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htp.experiment.results import Row

OURS = "HTP"
JOINT = ("HTP+", "HTP+ told nothing")  # told the start road, and told no road as the paper's
TABLE_2 = ("T-Dist", "G-Pat", "R-Pat")
TABLE_3 = ("T-Dist", "G-Den", "R-Den", "PR-Dist")
TABLE_3_BASELINES = ("ControlTraj", "Cardiff")
DIGITS = 5
NOTHING = "–"
OVER = 1.1  # ours: of its budget, beyond which a training is said to have taken longer


class Mark(StrEnum):
    """How a cell stands out."""

    none = "none"
    best = "best"
    second = "second"


@dataclass(frozen=True)
class Cell:
    """What stands in a table, and how."""

    text: str
    mark: Mark = Mark.none


@dataclass(frozen=True)
class ResultTable:
    """A table in no format yet."""

    name: str  # of its files
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


def tables(rows: Sequence[Row], *, simulated: bool) -> list[ResultTable]:
    """Return all tables that there are results for."""
    found = [table_1(rows), table_2(rows), table_3(rows), table_4(rows, simulated=simulated), speed(rows)]
    return [table for table in found if table is not None]


def table_1(rows: Sequence[Row]) -> ResultTable | None:
    """Return the baselines and HTP by the eight metrics and Length, floor, ceiling and HTP's improvement; or None."""
    ours = _named(rows, OURS)
    baselines = [row for row in rows if row.any.group == "baselines"]
    compared = [*baselines, *ours]
    if not compared:
        return None
    metrics = (*METRICS, LENGTH)
    cells = _metric_rows(compared, metrics)
    notes = [*_seed_notes(compared), f"{LENGTH} is 0 where a method is told the number of points."]
    with_results = [row for row in rows if row.results]
    if with_results:
        reference = with_results[0].results[0].scores
        cells.append(_plain("Noise floor", [_number(reference[name].floor) for name in metrics]))
        notes.append(
            "Noise floor: one random half of the real trips against the other, about twice what chance alone makes two "
            "sets of full size differ by."
        )
    ceiling = _ceiling(ours, metrics)
    if ceiling is not None:
        cells.append(ceiling)
        notes.append("Ceiling: the real trips through HTP's tokenizer and back.")
    columns = ("Method", *_titles(rows, metrics))
    if ours and ours[0].results and any(row.results for row in baselines):
        gains = improvements(ours[0], baselines)
        columns, cells = (*columns, "Mean"), [(*row, Cell("")) for row in cells]
        percents = [*(gains[name] for name in metrics), mean_improvement(gains)]
        cells.append(_plain("Improvement", list(map(_percent, percents))))
        notes.append(
            f"Improvement of HTP over the best baseline; its mean is over the paper's eight, without {LENGTH}."
        )
    return ResultTable(
        "table1", "HTP and the baselines", columns, tuple(cells), tuple(notes + _setting_notes(compared))
    )


def table_2(rows: Sequence[Row]) -> ResultTable | None:
    """Return HTP without one of its parts each, and whole; None without ablations."""
    ablations = [row for row in rows if row.any.group == "ablations" and row.label not in {OURS, *JOINT}]
    if not ablations:
        return None
    compared = [*ablations, *_named(rows, OURS)]
    columns = ("Variant", *_titles(rows, TABLE_2))
    notes = _seed_notes(compared) + _setting_notes(compared)
    cells = tuple(_metric_rows(compared, TABLE_2))
    return ResultTable("table2", "HTP when disabling its key designs", columns, cells, tuple(notes))


def table_3(rows: Sequence[Row]) -> ResultTable | None:
    """Return HTP making up the roads as well (HTP+) beside HTP and the paper's two baselines; None without HTP+."""
    joint = [row for name in JOINT for row in _named(rows, name)]
    if not joint:
        return None
    compared = [row for name in (*TABLE_3_BASELINES, OURS) for row in _named(rows, name)] + joint
    columns = ("Method", *_titles(rows, TABLE_3))
    notes = [
        *_seed_notes(compared),
        "HTP+ is the HTP of its seed and a model that writes routes, trained besides for a tenth of the budget.",
        "HTP+ is told the start road; told nothing: no road at all, as in the paper.",
        *_setting_notes(compared),
    ]
    cells = tuple(_metric_rows(compared, TABLE_3))
    return ResultTable("table3", "HTP when generating roads and travel patterns together", columns, cells, tuple(notes))


def table_4(rows: Sequence[Row], *, simulated: bool) -> ResultTable:
    """Return the statistics of the trips."""
    data = rows[0].any.data
    facts, used = data["statistics"], data["used"]
    columns = ("City", "Trips", "Average length", "Average distance", "Sampling interval", "Road segments", "Area size")
    texts = [
        f"{facts['trips']:,}",
        f"{facts['mean_points']:g} points",
        f"{facts['mean_distance_km']:.2f} km",
        f"{facts['interval_s']:g} seconds",
        f"{facts['roads']:,}",
        f"{facts['area_km2']:,.1f} km²",
    ]
    kind = "simulated" if simulated else "recorded"
    notes = (
        f"{used['train']:,} trips are trained on, {used['heldout']:,} are held out. The trips are {kind}.",
        "Area: the box around the roads.",
    )
    return ResultTable("table4", "Statistics of the trips", columns, (_plain(data["city"], texts),), notes)


def speed(rows: Sequence[Row]) -> ResultTable | None:
    """Return milliseconds a trip, at the batch that each method generated in; None where all failed."""
    rows = [row for row in rows if row.results]
    if not rows:
        return None
    cells = []
    for row in rows:
        ms, processor_ms = (
            f"{np.mean([getattr(result, name) for result in row.results]):.2f}"
            for name in ("ms_per_trip", "processor_ms")
        )
        batch = max(result.batch for result in row.results)
        trained_s = float(np.mean([result.train_s for result in row.results]))
        cells.append(_plain(row.label, [ms, processor_ms, f"{batch:,}", f"{trained_s:,.0f} s"]))
    columns = ("Method", "ms per trip", "of all cores", "Trips at once", "Training")
    said = "Trips at once: as many as were reported finished together. Of all cores: processor time, in ms per trip."
    notes = (said, *_setting_notes(rows))
    return ResultTable("speed", "Speed of generation", columns, tuple(cells), notes)


def improvements(ours: Row, baselines: Sequence[Row]) -> dict[str, float | None]:
    """Return by how many percent HTP is better than the best baseline, by metric; None where that is at 0."""
    scores = ours.results[0].scores
    found: dict[str, float | None] = {}
    for metric in (*METRICS, LENGTH):
        low_is_good = scores[metric].low_is_good
        others = [value for row in baselines if (value := row.mean(metric)) is not None]
        best, mine = (min if low_is_good else max)(others), ours.mean(metric)
        assert mine is not None
        gain = best - mine if low_is_good else mine - best
        found[metric] = 100 * gain / best if best else None
    return found


def mean_improvement(gains: dict[str, float | None]) -> float | None:
    """Return the mean over the paper's metrics; None where one has none."""
    values = [gains[name] for name in METRICS]
    return None if None in values else float(np.mean([value for value in values if value is not None]))


def _metric_rows(rows: Sequence[Row], metrics: Sequence[str]) -> list[tuple[Cell, ...]]:
    """Return a row of cells a method, the best and second best of each metric marked."""
    columns = [_marked(rows, metric) for metric in metrics]
    return [(Cell(row.label), *(column[at] for column in columns)) for at, row in enumerate(rows)]


def _marked(rows: Sequence[Row], metric: str) -> list[Cell]:
    shown = [None if (value := row.mean(metric)) is None else round(value, DIGITS) for row in rows]
    there = {value for value in shown if value is not None}
    low_is_good = next((row.results[0].scores[metric].low_is_good for row in rows if row.results), True)
    marks = dict(zip(sorted(there, reverse=not low_is_good), (Mark.best, Mark.second), strict=False))
    cells = []
    for row, value in zip(rows, shown, strict=True):
        if value is None:
            cells.append(Cell("failed"))
            continue
        spread = row.deviation(metric)
        text = _number(value) + (f" ± {_number(spread)}" if spread is not None else "")
        cells.append(Cell(text, marks.get(value, Mark.none)))
    return cells


def _ceiling(ours: Sequence[Row], metrics: Sequence[str]) -> tuple[Cell, ...] | None:
    """Return what HTP's tokenizer allows, the mean over the seeds; None where it was not measured."""
    results = ours[0].results if ours else []
    found = [[result.scores[metric].ceiling for result in results] for metric in metrics]
    known = [[value for value in values if value is not None] for values in found]
    if not all(known):
        return None
    return _plain("Ceiling", [_number(float(np.mean(values))) for values in known])


def _seed_notes(rows: Sequence[Row]) -> list[str]:
    notes = []
    seeds = {len(row.results) for row in rows if row.results}
    if seeds - {1}:
        said = ", ".join(f"{row.label} {len(row.results)}" for row in rows if row.results)
        notes.append(f"Mean ± standard deviation over seeds: {said}.")
    return notes + [f"{f.label} failed with seed {f.seed}: {f.sentence}" for row in rows for f in row.failed]


def _setting_notes(rows: Sequence[Row]) -> list[str]:
    one = rows[0].any
    data, machines = one.data, sorted({r.machine for row in rows for r in [*row.results, *row.failed]})
    budget = f"Each method had {budget_of(one.budget_s)} to train on {one.trained_on:,} trips of {data['city']}"
    asked = f"was asked for one trip for each of {data['used']['heldout']:,} held-out ones."
    late = [r for row in rows for r in row.results if r.train_s > OVER * r.budget_s]
    took = [f"{r.label} took {r.train_s:,.0f} s to train with seed {r.seed}, more than its budget." for r in late]
    return [f"{budget} and {asked}", *took, f"Machine: {'; '.join(machines)}."]


def _titles(rows: Sequence[Row], metrics: Sequence[str]) -> list[str]:
    """Return the metrics with an arrow to where they are good; without one where all methods failed."""
    scores = next((row.results[0].scores for row in rows if row.results), {})
    return [f"{name} {'↓' if scores[name].low_is_good else '↑'}" if scores else name for name in metrics]


def _named(rows: Sequence[Row], label: str) -> list[Row]:
    return [row for row in rows if row.label == label]


def _plain(first: str, texts: Sequence[str]) -> tuple[Cell, ...]:
    return tuple(Cell(text) for text in (first, *texts))


def _number(value: float) -> str:
    return f"{value:.{DIGITS}f}"


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f} %"
