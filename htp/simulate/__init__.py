"""Simulate raw GPS trips for a city that has none, by driving traffic through it with Eclipse SUMO.

circumstances (what a day is like) → demand (who goes where) → routes (which way) → stops, slowdown, lights and
closures (what is imposed) → run (SUMO) → record (where all were) → receivers (GPS points). Knows nothing about
preparation: the trips go through `htp prepare` like anybody's. See docs/simulation.md.
"""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from htp.errors import InputError
from htp.files import replacing
from htp.json_files import read_object
from htp.simulate.check import check_day, check_trips
from htp.simulate.day import Simulation, simulate_day, vehicles_needed
from htp.simulate.network import build_network
from htp.simulate.receivers import raw_trips
from htp.simulate.record import RECORD_S, Record
from htp.simulate.run import DayFolder
from htp.trips import WRITABLE, write_trips

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from htp.city.network import City

__all__ = ["DAYS", "simulate"]

DAYS = (date(2024, 5, 14), date(2024, 5, 18))  # a Tuesday and a Saturday without a change of clocks
MOST_TRIPS = 1_000_000
SETTINGS = "settings.json"  # in the work folder: which simulation's days it holds


class Wanted(NamedTuple):
    """What is asked of a new work folder: trips on all days, seconds between their points, and the seed."""

    trips: int
    interval_s: int
    seed: int


def simulate(  # noqa: PLR0913  the command's options
    city: City,
    trips: int,
    out: Path,
    *,
    work: Path,
    days: Sequence[date] = DAYS,
    interval_s: int = 15,
    seed: int = 0,
    receiver_seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a table of at most `trips` raw trips to `out`, a point every `interval_s`, and a report beside it.

    Days are simulated side by side, each into its folder of `work`; days that lie there finished are only read off, by
    receivers that `receiver_seed` draws. The first call of a work folder decides how many vehicles an ordinary weekday
    has: as many as its trips need, so few trips mean free roads (but for what is imposed). `progress` is told how many
    hundredths of days are done of how many. `InputError` for impossible requests.
    """
    _check_request(trips, out, days, interval_s)
    folders = {day: DayFolder(work / str(day)) for day in days}
    _drive(city, work, folders, Wanted(trips, interval_s, seed), workers=workers, progress=progress)
    parts, figures = [], {}
    for day, folder in folders.items():
        record = Record.load(folder.record)
        rng = np.random.default_rng([receiver_seed, 7, day.toordinal()])
        parts.append(raw_trips(city, record, day, interval_s, rng))
        figures[str(day)] = check_day(city, folder, record)
    merged = _merge(parts, trips, receiver_seed)
    report = {
        "simulated": "by htp simulate with Eclipse SUMO; main roads are slowed by hand (docs/simulation.md)",
        "trips_wanted": trips,
        "seed": seed,
        "receiver_seed": receiver_seed,
        "interval_s": interval_s,
        **check_trips(city, merged),
        "days": figures,
    }
    write_trips(merged, out)
    with replacing(out.with_suffix(".json")) as path:
        path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _drive(
    city: City,
    work: Path,
    folders: dict[date, DayFolder],
    wanted: Wanted,
    *,
    workers: int | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Simulate the days that are missing."""
    claim = {"city": city.name, "roads": len(city), "seed": wanted.seed}
    vehicles = _claimed(work, claim)
    days = [day for day, folder in folders.items() if not folder.record.exists()]
    told = _Progress(len(folders), days, progress)
    if not days:
        return
    work.mkdir(parents=True, exist_ok=True)
    scenario = Simulation(city, build_network(city, work / "network"), wanted.seed)
    if vehicles is None:
        vehicles = vehicles_needed(scenario, list(folders), wanted.trips, wanted.interval_s)
        with replacing(work / SETTINGS) as path:
            path.write_text(json.dumps(claim | {"vehicles": vehicles}) + "\n", encoding="utf-8")
    with ThreadPoolExecutor(max_workers=min(len(days), workers or os.cpu_count() or 1)) as pool:
        tasks = [
            pool.submit(simulate_day, scenario, day, vehicles, folders[day], progress=told.of(day)) for day in days
        ]
        for task in tasks:
            task.result()


def _check_request(trips: int, out: Path, days: Sequence[date], interval_s: int) -> None:
    if not 1 <= trips <= MOST_TRIPS:
        raise InputError(f"{trips} trips cannot be simulated; ask for 1 to {MOST_TRIPS:,}.")
    if interval_s < RECORD_S or interval_s % RECORD_S:
        raise InputError(f"Points every {interval_s} s cannot be read off; give a multiple of {RECORD_S} s.")
    if out.suffix not in WRITABLE:  # said before an hour of simulation, not after
        raise InputError(f"{out}: trips can be written as {', '.join(WRITABLE)}; choose one of these endings.")
    if len(days) == 0 or len(set(days)) != len(days):
        raise InputError("The days to simulate must be at least one and differ from each other; give other dates.")


def _claimed(work: Path, claim: dict[str, object]) -> int | None:
    """Return how many vehicles a weekday of this work folder has, None for a new one.

    `InputError` if it holds the days of another simulation.
    """
    mark = work / SETTINGS
    if not mark.exists():
        return None
    try:
        found = read_object(mark)
    except ValueError as error:
        raise InputError(f"{mark}: the file is damaged; delete the folder {work} to start again.") from error
    vehicles = found.pop("vehicles", None)
    if found != claim or not isinstance(vehicles, int):
        raise InputError(f"{work}: the folder holds another simulation ({found}); delete it or choose another one.")
    return vehicles


class _Progress:
    """Add up the progress of days that run side by side; those that were there before are done."""

    def __init__(self, total: int, days: Sequence[date], tell: Callable[[int, int], None] | None) -> None:
        self._total = total
        self._done = dict.fromkeys(days, 0.0)
        self._tell = tell
        self._lock = threading.Lock()

    def of(self, day: date) -> Callable[[float], None]:
        """Return the function that a day tells its share done."""

        def tell(share: float) -> None:
            with self._lock:
                self._done[day] = share
                if self._tell is not None:
                    before = self._total - len(self._done)
                    self._tell(round(100 * (before + sum(self._done.values()))), 100 * self._total)

        return tell


def _merge(parts: list[gpd.GeoDataFrame], trips: int, seed: int) -> gpd.GeoDataFrame:
    """Return all days' trips by start time, a random choice of `trips` if there are more."""
    merged = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=parts[0].crs)
    if len(merged) > trips:
        chosen = np.random.default_rng([seed, 5]).choice(len(merged), size=trips, replace=False)
        merged = merged.iloc[np.sort(chosen)]
    return merged.sort_values("start_time", kind="stable", ignore_index=True)
