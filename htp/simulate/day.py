"""Prepare and drive one day: the chain from demand to the record, resumable because a day is a folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htp.errors import InputError
from htp.recording import MAX_POINTS, MIN_POINTS, minutes_of
from htp.simulate.circumstances import Circumstances
from htp.simulate.closures import write_closures
from htp.simulate.demand import VehicleDemand, draw_demand
from htp.simulate.lights import write_lights
from htp.simulate.record import Record
from htp.simulate.routes import VehicleRoutes, choose_routes, free_turns, loaded_turns
from htp.simulate.run import run_sumo
from htp.simulate.slowdown import Slowdown
from htp.simulate.stops import draw_stops
from htp.simulate.vehicles import write_vehicles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.simulate.network import SumoNetwork
    from htp.simulate.run import DayFolder

WEEKEND_TRAFFIC = 0.85  # vehicles of a weekend day for one of a weekday
PILOT_VEHICLES = 2000  # whose routes tell how many trips will have a usable number of points
SAMPLE_VEHICLES = 8_000  # whose routes tell where traffic delays traffic
STRETCH = 1.27  # travel time in the simulation for one second expected by the route choice, measured
SURPLUS = 1.04  # vehicles for one that would just do, because what a day is like is drawn


@dataclass(frozen=True)
class Simulation:
    """What the days of a simulation have in common."""

    city: City
    network: SumoNetwork
    seed: int


def vehicles_needed(scenario: Simulation, days: Sequence[date], trips: int, interval_s: int) -> int:
    """Return how many vehicles an ordinary weekday needs for so many trips of usable length on all the days.

    `InputError` where the city is too small for trips that long.
    """
    rng = np.random.default_rng([scenario.seed, 3])
    city, turns, usual = scenario.city, free_turns(scenario.city, scenario.network), Circumstances(days[0])
    demand = draw_demand(city, _usable(scenario, usual), usual, PILOT_VEHICLES, rng)
    routes = choose_routes(city, turns, Slowdown(city, usual, scenario.seed), demand, rng)
    points = routes.expected_s * STRETCH / interval_s
    fit = np.count_nonzero((points >= MIN_POINTS) & (points <= MAX_POINTS)) / max(len(demand.depart_s), 1)
    if fit < 0.02:
        least_min = minutes_of(MIN_POINTS * interval_s)
        raise InputError(
            f"{scenario.city.name}: hardly any drive takes the {least_min} minutes of {MIN_POINTS} points; simulate a "
            "larger city, or take a shorter --interval."
        )
    return round(trips * SURPLUS / fit / sum(_share(scenario, day) for day in days)) + 10


def _share(scenario: Simulation, day: date) -> float:
    """Return the vehicles of a day for one of an ordinary weekday."""
    today = Circumstances.draw(scenario.city, day, scenario.seed)
    return today.demand * (WEEKEND_TRAFFIC if today.weekend else 1.0)


def simulate_day(
    scenario: Simulation, day: date, vehicles: int, folder: DayFolder, *, progress: Callable[[float], None]
) -> None:
    """Make the day's files, its record last; does nothing where they are already there.

    `vehicles` are those of an ordinary weekday.
    """
    if folder.record.exists():
        progress(1.0)
        return
    shutil.rmtree(folder.path, ignore_errors=True)
    folder.path.mkdir(parents=True)
    city, network, seed = scenario.city, scenario.network, scenario.seed
    rng = np.random.default_rng([seed, 4, day.toordinal()])
    today = Circumstances.draw(city, day, seed)
    demand, routes = _choose(scenario, today, round(vehicles * _share(scenario, day)), rng)
    stops = draw_stops(city, routes, rng)
    write_vehicles(demand.depart_s, routes, stops, today.pace, rng, folder.vehicles)
    Slowdown(city, today, seed).write_signs(folder.signs)
    write_closures(network, today, folder.closures)
    flow = np.bincount(np.concatenate(routes.roads), minlength=len(city)).astype(float)
    write_lights(city, network, flow, today, seed, folder.lights)
    run_sumo(network.file, folder, seed + day.toordinal(), progress=progress)
    Record.of_sumo(folder.floating_cars).save(folder.record)
    folder.floating_cars.unlink()


def _choose(
    scenario: Simulation, today: Circumstances, vehicles: int, rng: np.random.Generator
) -> tuple[VehicleDemand, VehicleRoutes]:
    """Draw the day's vehicles and choose their routes, against the delays that a sample of them causes."""
    city, network = scenario.city, scenario.network
    usable = _usable(scenario, today)
    slowdown = Slowdown(city, today, scenario.seed)
    sample = draw_demand(city, usable, today, min(vehicles, SAMPLE_VEHICLES), rng)
    turns = loaded_turns(city, free_turns(city, network), slowdown, sample, vehicles / len(sample.depart_s), rng)
    demand = draw_demand(city, usable, today, vehicles, rng)
    return demand, choose_routes(city, turns, slowdown, demand, rng)


def _usable(scenario: Simulation, today: Circumstances) -> NDArray[np.bool_]:
    """Mark the roads on which trips may start and end, [V]: they can be entered and left, and nothing closes them."""
    roads = np.arange(len(scenario.city))
    open_ways = np.isin(roads, scenario.network.source) & np.isin(roads, scenario.network.target)
    return open_ways & ~np.isin(roads, today.closed)
