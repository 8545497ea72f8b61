"""Say what a route is written for: when, how long, how far; from where and to where, if known (HTP+, paper 5.3).

The paper's HTP+ is told no road at all; a start road and a destination are ours. The conditions are numbers to the
model, not words: nothing in the question's words but these numbers says anything of a route that is yet to be written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.language.prompt import PromptConditions
    from htp.trips import Conditions

ANY_ROAD = -1  # as start road: the model draws it
MAX_DISTANCE_M = 100_000.0  # ours; 50 minutes, the longest trips, at 120 km/h
MARGIN_M = 2000.0  # a destination may lie this far beyond the roads
CONDITIONS = 12
TOLD = ("nothing", "start", "destination")  # of a route that is to be written anew; each tells what is before it too


@dataclass(frozen=True)
class RouteConditions:
    """The conditions of B routes."""

    start_road: NDArray[np.int64]  # [B] road_id, ANY_ROAD where the model draws it
    depart: pd.DatetimeIndex  # in the city's time zone
    duration_s: NDArray[np.float64]  # [B]
    distance_m: NDArray[np.float64]  # [B] first to last point
    destination_m: NDArray[np.float64]  # [B, 2] metres of the city's CRS, NaN where none is told

    def __len__(self) -> int:
        return len(self.start_road)


def route_conditions_of(
    conditions: PromptConditions, destination_m: NDArray[np.float64] | None = None
) -> RouteConditions:
    """Return the conditions of trips without their routes, but with their start road; destinations where given."""
    return RouteConditions(
        np.array([roads[0] for roads in conditions.roads], dtype=np.int64),
        conditions.depart,
        (conditions.points - 1) * conditions.interval_s,
        np.asarray(conditions.distance_m, dtype=np.float64),
        np.full((len(conditions.roads), 2), np.nan) if destination_m is None else destination_m,
    )


def route_conditions_from(conditions: Sequence[Conditions], city: City, told: str = "start") -> RouteConditions:
    """Return what is told (one of TOLD) of conditions whose routes are to be written anew.

    The destination is the middle of their last road. `InputError` where a travel time or a distance is missing.
    """
    if told not in TOLD:
        raise InputError(f"{told!r} of a route cannot be told; choose {', '.join(TOLD)}.")
    for row, asked in enumerate(conditions):
        if asked.duration_s is None or asked.distance_m is None:
            raise InputError(f"trip {row}: a route is written for a travel time and a distance; give both.")
    ends = np.array([asked.route.roads[-1] for asked in conditions], dtype=np.int64)
    middle_m = shapely.get_coordinates(shapely.line_interpolate_point(city.lines_m[ends], 0.5, normalized=True))
    starts = np.array([asked.route.roads[0] for asked in conditions], dtype=np.int64)
    return RouteConditions(
        np.full_like(starts, ANY_ROAD) if told == "nothing" else starts,
        pd.DatetimeIndex([city.local_time(asked.depart) for asked in conditions]),
        np.array([asked.duration_s for asked in conditions], dtype=np.float64),
        np.array([asked.distance_m for asked in conditions], dtype=np.float64),
        middle_m if told == "destination" else np.full_like(middle_m, np.nan),
    )


def check_route_conditions(conditions: RouteConditions, city: City) -> None:
    """Raise `InputError` naming the first trip for which no route can be written."""
    low, high = city.xy_m.min(axis=0) - MARGIN_M, city.xy_m.max(axis=0) + MARGIN_M
    for row in range(len(conditions)):
        road, distance_m, seconds = conditions.start_road[row], conditions.distance_m[row], conditions.duration_s[row]
        if road != ANY_ROAD and not 0 <= road < len(city):
            raise InputError(f"trip {row}: the start road is {road}; {city.name} has roads 0 to {len(city) - 1}.")
        if not 0.0 < distance_m <= MAX_DISTANCE_M:
            raise InputError(
                f"trip {row}: a distance of {distance_m:.0f} m; give one of more than 0 and at most "
                f"{MAX_DISTANCE_M / 1000:.0f} km."
            )
        if not 0.0 < seconds < np.inf:
            raise InputError(f"trip {row}: a travel time of {seconds:.0f} s; give one of more than 0 s.")
        goal = conditions.destination_m[row]
        if not (np.isnan(goal).all() or ((goal >= low) & (goal <= high)).all()):
            raise InputError(f"trip {row}: the destination is outside {city.name}; give a place within it, or none.")


def condition_features(conditions: RouteConditions) -> NDArray[np.float32]:
    """Return time of day and week, distance, travel time and mean speed in numbers of size 1, [B, CONDITIONS]."""
    hour = conditions.depart.hour.to_numpy() + conditions.depart.minute.to_numpy() / 60
    weekday = conditions.depart.day_of_week.to_numpy()
    day, week = 2 * np.pi * hour / 24, 2 * np.pi * (weekday + hour / 24) / 7
    km, minutes = conditions.distance_m / 1000, conditions.duration_s / 60
    columns = [
        np.sin(day),
        np.cos(day),
        np.sin(2 * day),
        np.cos(2 * day),
        np.sin(week),
        np.cos(week),
        (weekday >= 5).astype(float),
        km / 5,
        np.log1p(km) / 2,
        minutes / 15,
        np.log1p(minutes) / 3,
        km / minutes,  # 1 at 60 km/h
    ]
    return np.clip(np.column_stack(columns), -8.0, 8.0).astype(np.float32)
