"""Prepare, drive and sample one day: the chain from demand to raw trips, resumable because a day is a folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htp.errors import InputError
from htp.recording import MAX_POINTS, MIN_POINTS, minutes_of
from htp.simulate.demand import VehicleDemand, draw_demand, is_weekend
from htp.simulate.lights import WEEKDAY_PLANS, WEEKEND_PLANS, write_lights
from htp.simulate.probes import raw_trips
from htp.simulate.routes import VehicleRoutes, choose_routes, free_turns, loaded_turns
from htp.simulate.run import PROBE_SHARE, DayFolder, run_sumo, write_vehicles
from htp.simulate.slowdown import Slowdown
from htp.trips import write_trips

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.simulate.network import SumoNetwork

WEEKEND_TRAFFIC = 0.85  # vehicles of a weekend day for one of a weekday
PILOT_VEHICLES = 2000  # whose routes tell how many trips will have a usable number of points
SAMPLE_VEHICLES = 8_000  # whose routes tell where traffic delays traffic
STRETCH = 1.15  # travel time in the simulation for one second expected by the route choice, measured
SURPLUS = 1.04  # vehicles for one that would just do, because the share of probes is drawn


@dataclass(frozen=True)
class Simulation:
    """What the days of a simulation have in common."""

    city: City
    network: SumoNetwork
    seed: int
    interval_s: int  # between two points of a probe


def vehicles_needed(scenario: Simulation, days: Sequence[date], trips: int) -> dict[date, int]:
    """Return how many vehicles each day needs for so many probe trips of usable length in all.

    `InputError` where the city is too small for trips that long.
    """
    rng = np.random.default_rng([scenario.seed, 3])
    city, turns = scenario.city, free_turns(scenario.city, scenario.network)
    demand = draw_demand(city, _usable(scenario), days[0], PILOT_VEHICLES, rng)
    routes = choose_routes(city, turns, Slowdown(city, days[0], scenario.seed), demand, rng)
    points = routes.expected_s * STRETCH / scenario.interval_s
    fit = np.count_nonzero((points >= MIN_POINTS) & (points <= MAX_POINTS)) / max(len(demand.depart_s), 1)
    if fit < 0.02:
        least_min = minutes_of(MIN_POINTS * scenario.interval_s)
        raise InputError(
            f"{scenario.city.name}: hardly any drive takes the {least_min} minutes of {MIN_POINTS} points; simulate a "
            "larger city, or take a shorter --interval."
        )
    weight = {day: WEEKEND_TRAFFIC if is_weekend(day) else 1.0 for day in days}
    total = trips * SURPLUS / (PROBE_SHARE * fit) + 10
    return {day: round(total * weight[day] / sum(weight.values())) for day in days}


def simulate_day(
    scenario: Simulation, day: date, vehicles: int, folder: DayFolder, *, progress: Callable[[float], None]
) -> None:
    """Make the day's files, its trips last; does nothing where they are already there."""
    if folder.trips.exists():
        progress(1.0)
        return
    shutil.rmtree(folder.path, ignore_errors=True)
    folder.path.mkdir(parents=True)
    rng = np.random.default_rng([scenario.seed, 4, day.toordinal()])
    demand, routes = _choose(scenario, day, vehicles, rng)
    write_vehicles(demand.depart_s, routes, folder.vehicles)
    slowdown = Slowdown(scenario.city, day, scenario.seed)
    slowdown.write_signs(folder.signs)
    flow = np.bincount(np.concatenate(routes.roads), minlength=len(scenario.city)).astype(float)
    plans = WEEKEND_PLANS if is_weekend(day) else WEEKDAY_PLANS
    write_lights(scenario.city, scenario.network, flow, plans, scenario.seed, folder.lights)
    run_sumo(scenario.network.file, folder, scenario.seed, scenario.interval_s, progress=progress)
    write_trips(raw_trips(scenario.city, folder.probes, day, scenario.interval_s, rng), folder.trips)


def _choose(
    scenario: Simulation, day: date, vehicles: int, rng: np.random.Generator
) -> tuple[VehicleDemand, VehicleRoutes]:
    """Draw the day's vehicles and choose their routes, against the delays that a sample of them causes."""
    city, network = scenario.city, scenario.network
    usable = _usable(scenario)
    slowdown = Slowdown(city, day, scenario.seed)
    sample = draw_demand(city, usable, day, min(vehicles, SAMPLE_VEHICLES), rng)
    turns = loaded_turns(city, free_turns(city, network), slowdown, sample, vehicles / len(sample.depart_s), rng)
    demand = draw_demand(city, usable, day, vehicles, rng)
    return demand, choose_routes(city, turns, slowdown, demand, rng)


def _usable(scenario: Simulation) -> NDArray[np.bool_]:
    """Mark the roads that can be both entered and left, on which trips may start and end, [V]."""
    roads = np.arange(len(scenario.city))
    return np.isin(roads, scenario.network.source) & np.isin(roads, scenario.network.target)
