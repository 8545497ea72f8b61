"""Generate trips along one route at several times of a day, with everything that the page shows of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from htp.city.examples import main_street
from htp.evaluate.delays import Delays, Stretch, stretches
from htp.evaluate.profile import Profile
from htp.trips import Conditions
from htp_app.map.trips import top_kmh, trip_points

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import pandas as pd

    from htp_app.links import LonLat
    from htp_app.map.table import PackedTable
    from htp_app.model import Model
    from htp_app.plan import PlannedRoute
    from htp_app.state import Departures

EXAMPLE_SHARE = 0.8  # of the held-out trips are shorter than the example route


@dataclass(frozen=True)
class Departure:
    """The trips of one departure."""

    depart: pd.Timestamp  # in the city's time zone
    trips: gpd.GeoDataFrame
    profile: Profile
    delays: Delays
    table: PackedTable  # for the map

    @property
    def name(self) -> str:
        """The time of day, as a clock shows it."""
        return f"{self.depart:%H:%M}"


@dataclass(frozen=True)
class Compared:
    """The trips of every departure along one route."""

    choices: Departures  # with show=True
    departures: tuple[Departure, ...]
    stretches: tuple[Stretch, ...]
    free_flow_s: float
    max_kmh: int  # end of the speed scale that all maps share

    def made_for(self, choices: Departures) -> bool:
        """Whether these are the trips that the choices ask for; how lost time is added up is no matter."""
        return self.choices == replace(choices, show=True, by=self.choices.by)


def work_for(
    served: Model, choices: Departures, plan: PlannedRoute
) -> Callable[[Callable[[int, int], None]], Compared]:
    """Return what is to be done in the background; `InputError` where a start time does not exist."""
    city = served.generator.city
    departs = [city.local_time(dt.datetime.combine(choices.day, time)) for time in sorted(choices.times)]
    return lambda progress: _generate(served, choices, plan, departs, progress)


def example_route(served: Model) -> tuple[LonLat, ...]:
    """Return both ends of a rather long held-out trip, or of the main street where a service keeps those to itself."""
    if not len(served.heldout):
        street = main_street(served.generator.city)
        return street.via if street else ()
    distance_m = served.profile.distance_m
    row = int(np.argsort(distance_m)[int(EXAMPLE_SHARE * (len(distance_m) - 1))])
    ends = np.asarray(served.heldout.geometry.iloc[row].coords)[[0, -1]].round(6)
    return tuple((float(lon), float(lat)) for lon, lat in ends)


def _generate(
    served: Model,
    choices: Departures,
    plan: PlannedRoute,
    departs: list[pd.Timestamp],
    progress: Callable[[int, int], None],
) -> Compared:
    total = choices.count * len(departs)
    done: list[Departure] = []

    def count(now: int, _: int) -> None:
        progress(len(done) * choices.count + now, total)

    with served.turn():
        progress(0, total)  # somebody may have pressed Stop while others were served
        for depart in departs:
            done.append(_depart(served, choices, plan, depart, count))  # noqa: PERF401  `count` looks at it
    speeds_kmh = np.concatenate([departure.profile.speed_kmh for departure in done])
    return Compared(
        choices=replace(choices, show=True),
        departures=tuple(done),
        stretches=tuple(stretches(done[0].delays.roads, served.generator.city)),
        free_flow_s=plan.free_flow_s,
        max_kmh=top_kmh(speeds_kmh),
    )


def _depart(
    served: Model, choices: Departures, plan: PlannedRoute, depart: pd.Timestamp, progress: Callable[[int, int], None]
) -> Departure:
    generator = served.generator
    trips = generator.generate(Conditions(plan.route, depart), n=choices.count, seed=choices.seed, progress=progress)
    profile = Profile.of(trips, generator.city)
    return Departure(depart, trips, profile, Delays.of(trips, generator.city), trip_points(trips, profile.speed_kmh))
