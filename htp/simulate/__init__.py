"""Simulate raw GPS trips for a city that has none, by driving traffic through it with Eclipse SUMO.

demand (who goes where) → routes (which way) → slowdown and lights (what is imposed) → run (SUMO) → probes (GPS points).
Knows nothing about preparation: the trips go through `htp prepare` like anybody's. See docs/simulation.md.
"""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from htp.errors import InputError
from htp.files import replacing
from htp.simulate.check import check_day, check_trips
from htp.simulate.day import Simulation, simulate_day, vehicles_needed
from htp.simulate.network import build_network
from htp.simulate.run import DayFolder
from htp.trips import WRITABLE, read_trips, write_trips

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from htp.city.network import City

__all__ = ["DAYS", "simulate"]

DAYS = (date(2024, 5, 14), date(2024, 5, 18))  # a Tuesday and a Saturday without a change of clocks
MOST_TRIPS = 1_000_000


def simulate(  # noqa: PLR0913  the command's options
    city: City,
    trips: int,
    out: Path,
    *,
    work: Path,
    days: Sequence[date] = DAYS,
    interval_s: int = 15,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a table of at most `trips` raw trips to `out`, a point every `interval_s`, and a report beside it.

    Days are simulated in parallel, each into its folder of `work`; days that lie there finished are not made again.
    `progress` is told how many hundredths of days are done of how many. The vehicles on the roads are as many as the
    trips need, so few trips mean free roads (but for the imposed slowdown). `InputError` for impossible requests.
    """
    _check_request(trips, out, days)
    work.mkdir(parents=True, exist_ok=True)
    settings = {"city": city.name, "roads": len(city), "trips": trips, "seed": seed, "days": [str(d) for d in days]}
    _claim(work, settings | {"interval_s": interval_s})
    scenario = Simulation(city, build_network(city, work / "network"), seed, interval_s)
    vehicles = vehicles_needed(scenario, days, trips)
    folders = {day: DayFolder(work / str(day)) for day in days}
    told = _Progress(days, progress)
    with ThreadPoolExecutor(max_workers=min(len(days), os.cpu_count() or 1)) as pool:
        tasks = [
            pool.submit(simulate_day, scenario, day, vehicles[day], folders[day], progress=told.of(day)) for day in days
        ]
        for task in tasks:
            task.result()
    merged = _merge([read_trips(folders[day].trips) for day in days], trips, seed)
    report = {
        "simulated": "by htp simulate with Eclipse SUMO; arterial roads are slowed by hand (docs/simulation.md)",
        "trips_wanted": trips,
        "seed": seed,
        "interval_s": interval_s,
        **check_trips(city, merged),
        "days": {str(day): check_day(city, folders[day].path) for day in days},
    }
    write_trips(merged, out)
    with replacing(out.with_suffix(".json")) as path:
        path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _check_request(trips: int, out: Path, days: Sequence[date]) -> None:
    if not 1 <= trips <= MOST_TRIPS:
        raise InputError(f"{trips} trips cannot be simulated; ask for 1 to {MOST_TRIPS:,}.")
    if out.suffix not in WRITABLE:  # said before an hour of simulation, not after
        raise InputError(f"{out}: trips can be written as {', '.join(WRITABLE)}; choose one of these endings.")
    if len(days) == 0 or len(set(days)) != len(days):
        raise InputError("The days to simulate must be at least one and differ from each other; give other dates.")


def _claim(work: Path, settings: dict[str, object]) -> None:
    """Mark the work folder as this simulation's; `InputError` if it holds the days of another."""
    mark = work / "settings.json"
    if mark.exists():
        try:
            found = json.loads(mark.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{mark}: the file is damaged; delete the folder {work} to start again.") from error
        if found != settings:
            raise InputError(f"{work}: the folder holds another simulation ({found}); delete it or choose another one.")
    with replacing(mark) as path:
        path.write_text(json.dumps(settings) + "\n", encoding="utf-8")


class _Progress:
    """Add up the progress of days that run in parallel."""

    def __init__(self, days: Sequence[date], tell: Callable[[int, int], None] | None) -> None:
        self._done = dict.fromkeys(days, 0.0)
        self._tell = tell
        self._lock = threading.Lock()

    def of(self, day: date) -> Callable[[float], None]:
        """Return the function that a day tells its share done."""

        def tell(share: float) -> None:
            with self._lock:
                self._done[day] = share
                if self._tell is not None:
                    self._tell(round(100 * sum(self._done.values())), 100 * len(self._done))

        return tell


def _merge(parts: list[gpd.GeoDataFrame], trips: int, seed: int) -> gpd.GeoDataFrame:
    """Return all days' trips by start time, a random choice of `trips` if there are more."""
    merged = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=parts[0].crs)
    if len(merged) > trips:
        chosen = np.random.default_rng([seed, 5]).choice(len(merged), size=trips, replace=False)
        merged = merged.iloc[np.sort(chosen)]
    return merged.sort_values("start_time", kind="stable", ignore_index=True)
