"""Turn waypoints into a route that can be drawn and generated for, with a sentence where that cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from htp.city.linear_referencing import RouteLines
from htp.errors import InputError
from htp.travel_time.model import QUANTILES
from htp_app.stores import keep, store

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from htp.city import City
    from htp.trips import Route
    from htp_app.links import LonLat
    from htp_app.model import Model

Made = TypeVar("Made")
TIMES, PLANS = "travel times", "plans"  # of single routes, that are known: a page asks for its own in every run
KEPT = 512


@dataclass(frozen=True)
class PlannedRoute:
    """A route through waypoints, and what is said about it."""

    route: Route
    line: tuple[LonLat, ...]
    names: tuple[str, ...]  # the street at each waypoint
    distance_m: float
    free_flow_s: float  # at the speed limits


@dataclass(frozen=True)
class Expected:
    """The travel time that a tenth, half and nine tenths of the trips stay below, in minutes."""

    low: float
    middle: float
    high: float


def plan_or_problem(city: City, via: tuple[LonLat, ...]) -> tuple[PlannedRoute | None, str | None]:
    """Return the plan for any number of waypoints (none for fewer than two), or a sentence on what is wrong."""
    return attempt(lambda: plan_route(city, via) if len(via) > 1 else _only(city, via))


def known_plan(model: Model, via: tuple[LonLat, ...]) -> tuple[PlannedRoute | None, str | None]:
    """Return what `plan_or_problem` says of a model's city, searched once for everybody with these points."""
    known: dict[tuple[LonLat, ...], tuple[PlannedRoute | None, str | None]] = store(PLANS, model)
    if via not in known:
        keep(known, via, plan_or_problem(model.generator.city, via), KEPT)
    return known[via]


def attempt(make: Callable[[], Made | None]) -> tuple[Made | None, str | None]:
    """Return what could be made, or a sentence on why not."""
    try:
        return make(), None
    except InputError as error:
        return None, str(error)


def _only(city: City, via: tuple[LonLat, ...]) -> None:
    """Check a place that no route leads to yet."""
    for point in via:
        street_at(city, point)


def plan_route(city: City, via: tuple[LonLat, ...]) -> PlannedRoute:
    """Return the fastest route through two or more waypoints; `InputError` where one is out of town or unreachable."""
    route = city.route(list(via))
    lines = RouteLines.of(city, [route.roads])
    share = driven_shares(city, route)
    inside = (lines.axis_m > route.start_m) & (lines.axis_m < _end_m(city, route))
    ends = lines.place(np.zeros(2, np.int64), np.array([route.start_m, _end_m(city, route)]))
    lonlat = city.to_lonlat(np.vstack([ends[:1], lines.xy_m[inside], ends[1:]])).round(6)
    return PlannedRoute(
        route=route,
        line=tuple((float(lon), float(lat)) for lon, lat in lonlat),
        names=tuple(street_at(city, point) for point in via),
        distance_m=float(city.length_m[route.roads] @ share),
        free_flow_s=float(city.free_flow_s[route.roads] @ share),
    )


def street_at(city: City, point: LonLat) -> str:
    """Return the name of the street at a waypoint; `InputError` where there is none near."""
    name = city.roads["name"].iloc[city.snap(*point).road_id]
    return name if isinstance(name, str) else "unnamed street"


def driven_shares(city: City, route: Route) -> np.ndarray:
    """Return how much of each road of a route is driven, 0 to 1, [R]."""
    length_m = city.length_m[route.roads]
    driven_m = length_m.copy()
    driven_m[-1] = length_m[-1] if route.end_m is None else route.end_m
    driven_m[0] -= route.start_m
    return driven_m / length_m


def expected_or_problem(
    model: Model, plan: PlannedRoute | None, depart: dt.datetime
) -> tuple[Expected | None, str | None]:
    """Return how long the drive takes where that is known at once, or a sentence on why a service does not say."""
    if plan is None:
        return None, None
    known: dict[object, Expected | None] = store(TIMES, model)
    key = (plan.route.roads.tobytes(), plan.route.start_m, plan.route.end_m, depart)
    if key in known:
        return known[key], None
    found, problem = attempt(lambda: expected_travel_time(model, plan, depart))
    if problem is None:
        keep(known, key, found, KEPT)
    return found, problem


def expected_travel_time(model: Model, plan: PlannedRoute, depart: dt.datetime) -> Expected | None:
    """Return how long the drive takes by the travel-time model; None where the start time does not exist.

    `InputError` where a service does not say so soon.
    """
    city = model.generator.city
    try:
        when = city.local_time(depart)
    except InputError:
        return None  # said when somebody asks for trips
    seconds = model.travel_time.quantiles(city, [plan.route], [when])[0]
    return Expected(*(float(seconds[QUANTILES.index(share)]) / 60 for share in (0.1, 0.5, 0.9)))


def _end_m(city: City, route: Route) -> float:
    """Return where the drive ends, in metres from the start of the first road."""
    before = float(city.length_m[route.roads[:-1]].sum())
    return before + (float(city.length_m[route.roads[-1]]) if route.end_m is None else route.end_m)


def oriented(points: tuple[LonLat, ...], bounds: tuple[float, float, float, float]) -> tuple[tuple[LonLat, ...], bool]:
    """Return points longitude first and whether they were given latitude first, judged by the city's bounds."""
    swapped = tuple((lat, lon) for lon, lat in points)
    if points and not any(_inside(point, bounds) for point in points) and all(_inside(p, bounds) for p in swapped):
        return swapped, True
    return points, False


def _inside(point: LonLat, bounds: tuple[float, float, float, float]) -> bool:
    west, south, east, north = bounds
    return west <= point[0] <= east and south <= point[1] <= north
