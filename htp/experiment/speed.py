"""Measure how long trained methods take for a trip, side by side, and lay it out as a table (Figure 8 in numbers).

One run, one machine, the same trips and batches. Methods take turns, so that what else the machine does meets all of
them; of a method's turns the median counts. DiffTraj and ControlTraj run in their published sizes too, with 100 DDIM
steps; how long they take does not hang on what they have learned, so those two are trained for a step alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from htp.city.network import City
from htp.errors import InputError
from htp.experiment.layout import Layout, read_json, stem_of, write_json
from htp.experiment.results import load
from htp.experiment.settings import stamp
from htp.experiment.tables import NOTHING, ResultTable
from htp.methods.budget import Budget
from htp.methods.registry import METHODS, OURS
from htp.trips import read_trips

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import geopandas as gpd

    from htp.experiment.results import Row
    from htp.methods.protocol import Method

Times = dict[str, dict[str, list[list[float]]]]  # method to batch to [wall-clock, processor] ms a trip of each turn

BATCHES = (1, 16, 64)
TURNS = 5
ENOUGH_S = 20.0  # after so long at one batch a method takes no further turns at it
PUBLISHED = ("difftraj", "controltraj")
STEP = Budget(epochs=1, batch_size=2)
COMPARED = ("HTP+",)  # besides the baselines and HTP; other ablations are as fast as HTP or of no use in a comparison


@dataclass
class Runner:
    """A method that takes its turns."""

    label: str
    method: Method[Any]

    def turn(self, trips: gpd.GeoDataFrame) -> tuple[float, float]:
        """Generate trips; return the seconds of wall-clock and of all cores together."""
        started, worked = time.perf_counter(), time.process_time()
        self.method.generate(trips, seed=0)
        return time.perf_counter() - started, time.process_time() - worked


def measure_speed(
    results: Path, batches: Sequence[int] = BATCHES, *, report: Callable[[dict[str, Any]], None] = print
) -> Path:
    """Write RESULTS/speed.json for the first seed of the baselines, HTP and HTP+; return the file.

    `InputError` where there are no trained methods or fewer held-out trips than the largest batch.
    """
    layout = Layout(results)
    rows = [row for row in load(layout) if row.results and _is_compared(row)]
    if not rows:
        raise InputError(f"{results}: holds no baseline, HTP or HTP+ to measure; run one by `htp experiment run`.")
    trips, city = read_trips(layout.real), City.load(layout.city)
    if min(batches) < 1 or max(batches) > len(trips):
        raise InputError(f"batches of {', '.join(map(str, batches))} trips; there are {len(trips)} held-out ones.")
    runners = [*_published(rows, trips, city), *_trained(rows, layout, city)]
    for runner in runners:
        runner.turn(trips.iloc[:1])  # what is slow only once does not count
    ms: Times = {runner.label: {str(batch): [] for batch in batches} for runner in runners}
    for batch in batches:
        _take_turns(runners, trips, batch, ms, report)
    first = rows[0].results[0]
    content = {"data": first.data["fingerprint"], "batches": list(batches), "ms_per_trip": _medians(ms, 0)}
    content |= {"processor_ms_per_trip": _medians(ms, 1), "turns_ms": ms}
    write_json(layout.speed, content | stamp(first.device))
    return layout.speed


def batches_of(text: str) -> tuple[int, ...]:
    """Return the batches of a text such as 1,16,64; `InputError` where it is none."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and int(word) > 0 for word in words):
        raise InputError(f"--batches {text!r}: give numbers of trips, a comma between them, such as 1,16,64.")
    return tuple(dict.fromkeys(map(int, words)))


def _take_turns(
    runners: Sequence[Runner],
    trips: gpd.GeoDataFrame,
    batch: int,
    ms: Times,
    report: Callable[[dict[str, Any]], None],
) -> None:
    """Add the milliseconds a trip of each runner's turns at a batch; turns go through the trips."""
    spent_s = dict.fromkeys(ms, 0.0)
    for turn in range(TURNS):
        start = turn * batch % (len(trips) - batch + 1)
        for runner in runners:
            if turn and spent_s[runner.label] > ENOUGH_S:
                continue
            seconds = runner.turn(trips.iloc[start : start + batch])
            spent_s[runner.label] += seconds[0]
            turn_ms = [round(1000 * s / batch, 4) for s in seconds]
            ms[runner.label][str(batch)].append(turn_ms)
            report({"method": runner.label, "batch": batch, "turn": turn, "ms_per_trip": turn_ms[0]})


def _medians(ms: Times, kind: int) -> dict[str, dict[str, float]]:
    """Return the median over the turns of wall-clock (0) or processor time (1), method to batch."""
    return {
        label: {batch: round(float(np.median([turn[kind] for turn in turns])), 4) for batch, turns in batches.items()}
        for label, batches in ms.items()
    }


def _is_compared(row: Row) -> bool:
    return row.any.group == "baselines" or row.label in {OURS, *COMPARED}


def _trained(rows: Sequence[Row], layout: Layout, city: City) -> list[Runner]:
    """Return the methods as they were trained."""
    found = []
    for row in rows:
        result = row.results[0]
        folder = layout.model(stem_of(result.method, result.seed))
        found.append(Runner(row.label, METHODS[result.method].made_by.load(folder, city, result.device)))
    return found


def _published(rows: Sequence[Row], trips: gpd.GeoDataFrame, city: City) -> list[Runner]:
    """Return the methods of PUBLISHED that were trained, anew in their published sizes."""
    found = []
    for row in rows:
        if row.any.method in PUBLISHED:
            method = METHODS[row.any.method].made_by(device=row.any.device)
            method.fit(trips.iloc[:2], city, STEP, report=lambda _: None)
            found.append(Runner(f"{row.label} as published", method))
    return found


@dataclass(frozen=True)
class Speeds:
    """Milliseconds a trip of all methods in one run: a row a method, a column a batch, trips generated at once."""

    ms: pd.DataFrame
    processor_ms: pd.DataFrame  # of all cores together; does not grow when other programs run
    machine: str


def read_speeds(layout: Layout, rows: Sequence[Row]) -> Speeds | None:
    """Return the speeds of a folder; None where there are none, `InputError` where damaged or of other trips."""
    if not layout.speed.exists():
        return None
    facts, again = read_json(layout.speed), f"measure again by `htp experiment speed {layout.folder}`"
    try:
        assert facts is not None, "an object"
        batches, data = list(map(int, facts["batches"])), facts["data"]
        ms, processor_ms = (
            pd.DataFrame({at: {label: float(ms[str(at)]) for label, ms in facts[name].items()} for at in batches})
            for name in ("ms_per_trip", "processor_ms_per_trip")
        )
        speeds = Speeds(ms, processor_ms, str(facts["machine"]))
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{layout.speed}: holds no speeds; {again}.") from error
    if data != rows[0].any.data["fingerprint"]:
        raise InputError(f"{layout.speed}: its speeds are of other trips than the results; {again}.")
    return speeds


def speed_table(speeds: Speeds) -> ResultTable:
    """Return milliseconds a trip and how many times HTP's they are, at each batch."""
    kinds = {
        "ms": speeds.ms.map("{:.2f}".format),
        "× HTP": _ratios(speeds.ms),
        "× HTP, processor": _ratios(speeds.processor_ms),
    }
    texts = pd.concat([part.rename(columns=f"{kind}, {{}} at once".format) for kind, part in kinds.items()], axis=1)
    notes = (
        "Milliseconds of wall-clock a trip, the median of turns that the methods took in one run; × HTP: over HTP's.",
        "× HTP, processor: the same of processor time, which does not grow when other programs run.",
        "As published: in the published sizes, the others in those of this experiment; DDIM in 100 steps for all.",
        f"Machine: {speeds.machine}.",
    )
    flat = texts.rename_axis("Method").reset_index()
    return ResultTable("speed-batches", "Speed of generation, side by side", flat, notes)


def _ratios(ms: pd.DataFrame) -> pd.DataFrame:
    """Return how many times HTP's each method takes; dashes where HTP was not measured."""
    ours = ms.loc[OURS] if OURS in ms.index else float("nan")
    return (ms / ours).map(lambda times: NOTHING if pd.isna(times) else f"{times:.3g}")
