"""Lay results out as the paper's tables: 1 (all methods), 2 (ablations), 3 (roads made up), 4 (data), and speed.

Methods are compared as they are printed: what shows the same digits shares its mark. The best of a column is bold, the
second underlined, the noise floor and the ceiling are references and take no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from htp.experiment.results import LENGTH, METRICS, over_seeds, scores_of
from htp.experiment.settings import budget_of
from htp.methods.registry import OURS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from htp.experiment.results import Row

JOINT = ("HTP+", "HTP+ told nothing")  # told the start road, and told no road as the paper's
TABLE_2 = ("T-Dist", "G-Pat", "R-Pat")
TABLE_3 = ("T-Dist", "G-Den", "R-Den", "PR-Dist")
TABLE_3_BASELINES = ("ControlTraj", "Cardiff")
DIGITS = 5
NOTHING = "–"
OVER = 1.1  # ours: of its budget, beyond which a training is said to have taken longer
BEST, SECOND = 1.0, 2.0  # ranks


@dataclass(frozen=True)
class ResultTable:
    """A table in no format yet."""

    name: str  # of its files
    title: str
    texts: pd.DataFrame  # a row a method, whose name is in the first column
    notes: tuple[str, ...] = ()
    ranks: pd.DataFrame | None = None  # of each text in its column, BEST, SECOND …; NaN takes no part; None: none does

    def marked(self, marks: Mapping[float, str], escape: Callable[[str], str]) -> pd.DataFrame:
        """Return the texts as a format has them; `marks` says how a rank stands out, such as `{BEST: "**{}**"}`."""
        texts = self.texts.map(escape)
        if self.ranks is not None:
            for rank, mark in marks.items():
                texts = texts.mask(self.ranks == rank, texts.map(mark.format))
        return texts


def tables(rows: Sequence[Row], *, simulated: bool) -> list[ResultTable]:
    """Return all tables that there are results for."""
    found = [table_1(rows), table_2(rows), table_3(rows), table_4(rows, simulated=simulated), speed(rows)]
    return [table for table in found if table is not None]


def table_1(rows: Sequence[Row]) -> ResultTable | None:
    """Return all but ablations by the eight metrics and Length, floor and ceiling; or None."""
    ours = _named(rows, OURS)
    baselines = [row for row in rows if row.any.group == "baselines"]
    references = [row for row in rows if row.any.group == "references"]
    compared = [*references, *baselines, *ours]
    if not compared:
        return None
    metrics = [*METRICS, LENGTH]
    texts, ranks = _compared(compared, metrics)
    notes = [*_seed_notes(compared), f"{LENGTH} is 0 where a method is told the number of points."]
    if references:
        notes.append(
            f"{' and '.join(row.label for row in references)}: no model of movement, what conditions give away."
        )
    if any(row.results for row in rows):
        texts.loc["Noise floor"] = scores_of(rows).groupby("metric")["floor"].first()[metrics].map(_number).tolist()
        notes.append(
            "Noise floor: what chance alone makes two sets of full size differ by (results of before 0.2: two halves, "
            "about twice as much)."
        )
    ceiling = scores_of(ours).groupby("metric")["ceiling"].mean().reindex(metrics)
    if ceiling.notna().all():
        texts.loc["Ceiling"] = ceiling.map(_number).tolist()
        notes.append("Ceiling: the real trips through HTP's tokenizer and back.")
    return _table("table1", "HTP and the baselines", texts, [*notes, *_setting_notes(compared)], ranks)


def table_2(rows: Sequence[Row]) -> ResultTable | None:
    """Return HTP without one of its parts each, and whole; None without ablations."""
    ablations = [row for row in rows if row.any.group == "ablations" and row.label not in {OURS, *JOINT}]
    if not ablations:
        return None
    compared = [*ablations, *_named(rows, OURS)]
    texts, ranks = _compared(compared, TABLE_2)
    notes = _seed_notes(compared) + _setting_notes(compared)
    return _table("table2", "HTP when disabling its key designs", texts.rename_axis("Variant"), notes, ranks)


def table_3(rows: Sequence[Row]) -> ResultTable | None:
    """Return HTP making up the roads as well (HTP+) beside HTP and the paper's two baselines; None without HTP+."""
    joint = [row for name in JOINT for row in _named(rows, name)]
    if not joint:
        return None
    compared = [row for name in (*TABLE_3_BASELINES, OURS) for row in _named(rows, name)] + joint
    texts, ranks = _compared(compared, TABLE_3)
    notes = [
        *_seed_notes(compared),
        "HTP+ is the HTP of its seed and a model that writes routes, trained besides for a tenth of the budget.",
        "HTP+ is told the start road; told nothing: no road at all, as in the paper.",
        *_setting_notes(compared),
    ]
    return _table("table3", "HTP when generating roads and travel patterns together", texts, notes, ranks)


def table_4(rows: Sequence[Row], *, simulated: bool) -> ResultTable:
    """Return the statistics of the trips."""
    data = rows[0].any.data
    facts, used = data["statistics"], data["used"]
    texts = {
        "City": data["city"],
        "Trips": f"{facts['trips']:,}",
        "Average length": f"{facts['mean_points']:g} points",
        "Average distance": f"{facts['mean_distance_km']:.2f} km",
        "Sampling interval": f"{facts['interval_s']:g} seconds",
        "Road segments": f"{facts['roads']:,}",
        "Area size": f"{facts['area_km2']:,.1f} km²",
    }
    kind = "simulated" if simulated else "recorded"
    notes = (
        f"{used['train']:,} trips are trained on, {used['heldout']:,} are held out. The trips are {kind}.",
        "Area: the box around the roads.",
    )
    return ResultTable("table4", "Statistics of the trips", pd.DataFrame([texts]), notes)


def speed(rows: Sequence[Row]) -> ResultTable | None:
    """Return milliseconds a trip, at the batch that each method generated in; None where all failed."""
    rows = [row for row in rows if row.results]
    if not rows:
        return None
    facts = pd.DataFrame([vars(result) for row in rows for result in row.results])
    by = facts.groupby("label", sort=False)
    texts = pd.DataFrame(
        {
            "ms per trip": by["ms_per_trip"].mean().map("{:.2f}".format),
            "of all cores": by["processor_ms"].mean().map("{:.2f}".format),
            "Trips at once": by["batch"].max().map("{:,}".format),
            "Training": by["train_s"].mean().map("{:,.0f} s".format),
        }
    )
    said = "Trips at once: as many as were reported finished together. Of all cores: processor time, in ms per trip."
    return _table("speed", "Speed of generation", texts.rename_axis("Method"), [said, *_setting_notes(rows)])


def _compared(rows: Sequence[Row], metrics: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what is printed of each method's metrics, mean ± deviation over the seeds, and its rank as printed."""
    shown = over_seeds(rows, metrics, "mean").map(lambda value: round(value, DIGITS))
    spread = over_seeds(rows, metrics, "std")
    texts = shown.map(_number) + spread.map(lambda value: "" if pd.isna(value) else f" ± {_number(value)}")
    ranks = (shown * _signs(rows, metrics)).rank(method="dense")
    return texts.mask(shown.isna(), "failed").set_axis(_titles(rows, metrics), axis="columns"), ranks


def _signs(rows: Sequence[Row], metrics: Sequence[str]) -> pd.Series:
    """Return 1 for metrics of which less is better, -1 for the others; 1 where all methods failed."""
    low_is_good = scores_of(rows).groupby("metric")["low_is_good"].first().reindex(list(metrics))
    return low_is_good.map({True: 1, False: -1}).fillna(1)


def _table(
    name: str, title: str, texts: pd.DataFrame, notes: Sequence[str], ranks: pd.DataFrame | None = None
) -> ResultTable:
    """Return a table whose methods are its first column."""
    flat = texts.reset_index()
    if ranks is not None:
        ranks = ranks.set_axis(texts.columns[: ranks.shape[1]], axis="columns").reset_index(drop=True)
        ranks = ranks.reindex(index=flat.index, columns=flat.columns)
    return ResultTable(name, title, flat, tuple(notes), ranks)


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
    if not any(row.results for row in rows):
        return list(metrics)
    return [f"{name} {'↓' if sign > 0 else '↑'}" for name, sign in _signs(rows, metrics).items()]


def _named(rows: Sequence[Row], label: str) -> list[Row]:
    return [row for row in rows if row.label == label]


def _number(value: float) -> str:
    return f"{value:.{DIGITS}f}"
