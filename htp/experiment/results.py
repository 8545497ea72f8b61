"""Read the results of an experiment from their JSON files, checked, and hold those of one method together."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from htp.errors import InputError
from htp.json_files import read_object

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from htp.experiment.layout import Layout

VERSION = 1
METRICS = ("T-Dist", "S-Dist", "Radius", "G-Den", "G-Pat", "R-Den", "R-Pat", "PR-Dist")  # the paper's
LENGTH = "Length"  # Figure 7 as a number
SCORES = ("label", "seed", "metric", "value", "low", "high", "floor", "ceiling", "low_is_good")


@dataclass(frozen=True)
class Result:
    """One method with one seed, as far as tables and figures ask."""

    path: Path
    key: str
    method: str
    label: str
    group: str  # references, baselines or ablations
    place: int  # among all methods
    seed: int
    sentence: str | None  # why it failed
    budget_s: float
    device: str
    machine: str
    data: dict[str, Any]  # what `htp.experiment.data` says
    train_s: float = 0.0  # 0 or nothing where it failed, as all that follows
    ms_per_trip: float = 0.0
    processor_ms: float = 0.0  # a trip, of all cores together; does not grow when other programs run
    batch: int = 0
    stages: Sequence[dict[str, Any]] = ()  # of its training
    scores: Sequence[tuple] = ()  # a line of SCORES a metric, those beyond the paper included
    lengths: dict[str, dict[int, int]] = field(default_factory=dict)  # real and generated: number of points to trips

    @classmethod
    def read(cls, path: Path) -> Result:
        """Read a file; `InputError` names it where it is damaged or of another version."""
        try:
            facts = read_object(path)
            version = facts["version"]
            if version == VERSION:
                return cls._of(path, facts)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: is no whole result; delete it and run `htp experiment run` again.") from error
        raise InputError(f"{path}: a result of version {version}, not {VERSION}; delete it and run it again.")

    @classmethod
    def _of(cls, path: Path, facts: dict[str, Any]) -> Result:
        named = {name: facts[name] for name in ("key", "method", "label", "group", "place", "seed", "sentence")}
        setting = {"budget_s": float(facts["setting"]["budget_s"]), "device": facts["setting"]["device"]}
        known = named | setting | {"machine": facts["machine"], "data": facts["data"]}
        if facts["sentence"] is not None:
            return cls(path, **known)
        made, evaluation = facts["generation"], facts["evaluation"]
        lines = evaluation["metrics"] | evaluation["beyond"]
        missing = [name for name in (*METRICS, LENGTH) if name not in lines]
        if missing:
            raise KeyError(missing[0])
        return cls(
            path,
            **known,
            train_s=float(facts["training"]["seconds"]),
            ms_per_trip=float(made["ms_per_trip"]),
            processor_ms=float(made["processor_ms_per_trip"]),
            batch=int(made["batch"]),
            stages=list(facts["training"]["stages"]),
            scores=[_score(facts, name, line) for name, line in lines.items()],
            lengths={
                side: {int(n): count for n, count in table.items()} for side, table in evaluation["lengths"].items()
            },
        )

    @property
    def trained_on(self) -> int:
        """Number of trips."""
        return int(self.data["used"]["train"])


def _score(facts: dict[str, Any], metric: str, line: dict[str, Any]) -> tuple:
    ends = line["bootstrap"]["low"], line["bootstrap"]["high"]
    known = facts["label"], facts["seed"], metric
    return (*known, line["value"], *ends, line["floor"], line["ceiling"], line["low_is_good"])


@dataclass(frozen=True)
class Row:
    """All results of one method."""

    results: Sequence[Result]  # by seed; those that failed are not among them
    failed: Sequence[Result]

    @cached_property
    def any(self) -> Result:
        """One of them, for what all have."""
        return next(iter([*self.results, *self.failed]))

    @property
    def label(self) -> str:
        """What tables call the method."""
        return self.any.label


def scores_of(rows: Sequence[Row]) -> pd.DataFrame:
    """Return the columns SCORES: a line for each metric of each result, method by method and seed by seed."""
    lines = [score for row in rows for result in row.results for score in result.scores]
    return pd.DataFrame(lines, columns=list(SCORES)).astype(dict.fromkeys(SCORES[3:8], float))


def over_seeds(rows: Sequence[Row], metrics: Sequence[str], what: Literal["mean", "std"]) -> pd.DataFrame:
    """Return the mean or the std over the seeds, a row a method, a column a metric; NaN where all seeds failed."""
    found = scores_of(rows).pivot_table(index="label", columns="metric", values="value", aggfunc=what)
    return found.reindex(index=pd.Index([row.label for row in rows], name="Method"), columns=list(metrics))


def load(layout: Layout) -> list[Row]:
    """Read all results, a row a method in the order of the methods; `InputError` unless they can be compared."""
    results = [Result.read(path) for path in layout.results()]
    if not results:
        raise InputError(f"{layout.folder}: holds no results; make some with `htp experiment run`.")
    for other in results[1:]:
        _check_comparable(results[0], other)
    ordered = sorted(results, key=lambda result: (result.place, result.method, result.seed))
    rows = []
    for _, found in groupby(ordered, key=lambda result: result.method):
        same = list(found)
        rows.append(Row([r for r in same if r.sentence is None], [r for r in same if r.sentence is not None]))
    return rows


def _check_comparable(one: Result, other: Result) -> None:
    """Raise `InputError` where two results differ in what has to be the same for a table."""
    pairs = {
        "trips": (one.data["fingerprint"], other.data["fingerprint"]),
        "budgets": (one.budget_s, other.budget_s),
        "devices": (one.device, other.device),
    }
    for name, (here, there) in pairs.items():
        if here != there:
            raise InputError(
                f"{one.path} and {other.path} are of different {name} ({here} and {there}), which no table should mix; "
                "move one of them out of the folder, or run it again with --force."
            )
