"""Describe drives by the features that decide how long they take: where, over which roads and turns, and when.

A drive is a route and the part of it that was driven, in metres along the whole roads of the route. Everything is an
array over all drives at once. Features are ours; each is a share or a rate where it can be, so that short and long
drives compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htp.compute.ragged import Ragged
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.trips import Route

KINDS = ("motorway", "trunk", "primary", "secondary", "tertiary")  # OSM highway values; all others count as "minor"
MAJOR = len(KINDS)  # kinds below this number are arterial, where lights and queues are
TURN_DEG = 45.0
MIN_DRIVEN_M = 1.0  # keeps rates finite where a trip never moved
FEATURES = (
    "log_distance_m",
    "log_free_flow_s",
    "speed_limit_kmh",
    "lanes",
    *(f"share_{kind}" for kind in KINDS),
    "roads_per_km",
    "left_turns_per_km",
    "right_turns_per_km",
    "arterial_crossings_per_km",
    "arterial_entries_per_km",
    "start_x_km",
    "start_y_km",
    "end_x_km",
    "end_y_km",
    "mean_x_km",
    "mean_y_km",
    "hour",
    "weekend",
)


@dataclass(frozen=True)
class DrivenRoutes:
    """N driven routes; K is the number of roads of all of them, route after route."""

    roads: NDArray[np.int64]  # [K] road_id
    row: NDArray[np.int64]  # [K] which drive the road belongs to
    from_m: NDArray[np.float64]  # [N] where the drive begins, metres from the start of its first road
    to_m: NDArray[np.float64]  # [N] where it ends, metres from the start of its first road

    def __len__(self) -> int:
        return len(self.from_m)

    @classmethod
    def of_routes(cls, city: City, routes: Sequence[Route]) -> DrivenRoutes:
        """Take each route from its `start_m` to its `end_m`."""
        roads, row = _flatten([route.roads for route in routes], len(city))
        whole_m = np.bincount(row, city.length_m[roads], len(routes)).astype(np.float64)
        last_m = city.length_m[[int(route.roads[-1]) for route in routes]]
        end_m = np.array([np.nan if route.end_m is None else route.end_m for route in routes])
        to_m = whole_m - np.where(np.isnan(end_m), 0.0, last_m - end_m)
        return cls(roads, row, np.array([route.start_m for route in routes]), to_m)

    @classmethod
    def of_trips(cls, city: City, trips: gpd.GeoDataFrame) -> DrivenRoutes:
        """Take each prepared trip from its first to its last aligned point."""
        roads, row = _flatten(list(trips["roads"]), len(city))
        whole_m = np.bincount(row, city.length_m[roads], len(trips))
        ends = np.array([(percent[0], percent[-1]) for percent in trips["percent"]], dtype=float)
        return cls(roads, row, *(whole_m * ends.T))


@dataclass(frozen=True)
class RoadTable:
    """What the features need to know of every road of a city, [V] each."""

    length_m: NDArray[np.float64]
    pace_s_per_m: NDArray[np.float64]  # at the speed limit
    lanes: NDArray[np.float64]
    kind: NDArray[np.int64]  # place in KINDS, MAJOR for minor roads
    bearing_first_rad: NDArray[np.float64]  # of the stretch between the first two vertices, counter-clockwise from east
    bearing_last_rad: NDArray[np.float64]  # of the stretch between the last two
    crossing: NDArray[np.bool_]  # two arterials of different names meet at the road's end: likely a traffic light
    middle_km: NDArray[np.float64]  # [V, 2] from the middle of the city, east and north

    @classmethod
    def of_city(cls, city: City) -> RoadTable:
        """Measure the roads of a city."""
        classes = city.roads["highway"].astype(str).str.removesuffix("_link")
        kind = classes.map({name: place for place, name in enumerate(KINDS)}).fillna(MAJOR).to_numpy(dtype=np.int64)
        first, last = city.first_vertex[:-1], city.first_vertex[1:] - 1
        start, end = city.xy_m[first + 1] - city.xy_m[first], city.xy_m[last] - city.xy_m[last - 1]
        middle_m = (city.xy_m[first] + city.xy_m[last]) / 2
        return cls(
            length_m=city.length_m,
            pace_s_per_m=3.6 / city.roads["speed_kmh"].to_numpy(dtype=float),
            lanes=pd.to_numeric(city.roads["lanes"], errors="coerce").fillna(1.0).to_numpy(dtype=float),
            kind=kind,
            bearing_first_rad=np.arctan2(start[:, 1], start[:, 0]),
            bearing_last_rad=np.arctan2(end[:, 1], end[:, 0]),
            crossing=_arterial_crossings(city, kind)[city.v],
            middle_km=(middle_m - np.median(middle_m, axis=0)) / 1000,
        )


def route_features(roads: RoadTable, drives: DrivenRoutes, departs: pd.DatetimeIndex) -> NDArray[np.float32]:
    """Return the features of each drive, [N, len(FEATURES)]; `departs` is the city's local time, [N]."""
    n, k, row = len(drives), drives.roads, drives.row
    driven_m = _driven_m(roads, drives)

    def total(values: NDArray) -> NDArray[np.float64]:
        return np.bincount(row, values, n).astype(np.float64)

    metres = np.maximum(total(driven_m), MIN_DRIVEN_M)
    free_flow_s = free_flow_seconds(roads, drives)
    km = metres / 1000
    columns = [
        np.log(metres),
        np.log(free_flow_s),
        3.6 * metres / free_flow_s,
        total(driven_m * roads.lanes[k]) / metres,
    ]
    columns += [total(driven_m * (roads.kind[k] == kind)) / metres for kind in range(MAJOR)]
    columns.append(total(driven_m > 0) / km)
    columns += [total(event) / km for event in _junction_events(roads, drives, driven_m > 0)]
    first = np.searchsorted(row, np.arange(n))
    last = np.searchsorted(row, np.arange(n), side="right") - 1
    columns += [*roads.middle_km[k[first]].T, *roads.middle_km[k[last]].T]
    columns += [total(driven_m * roads.middle_km[k, axis]) / metres for axis in (0, 1)]
    midnight_s = departs.hour * 3600 + departs.minute * 60 + departs.second
    columns += [np.asarray(midnight_s) / 3600, np.asarray(departs.day_of_week >= 5, dtype=float)]
    return np.column_stack(columns).astype(np.float32)


def free_flow_seconds(roads: RoadTable, drives: DrivenRoutes) -> NDArray[np.float64]:
    """Return the seconds that each drive takes at the speed limits, at least those of `MIN_DRIVEN_M`, [N]."""
    pace = roads.pace_s_per_m[drives.roads]
    seconds = np.bincount(drives.row, _driven_m(roads, drives) * pace, len(drives))
    slowest = pace[np.searchsorted(drives.row, np.arange(len(drives)))] * MIN_DRIVEN_M
    return np.maximum(seconds, slowest)


def _driven_m(roads: RoadTable, drives: DrivenRoutes) -> NDArray[np.float64]:
    """Return the driven metres of each road of each drive, [K]."""
    length_um = np.rint(roads.length_m[drives.roads] * 1e6).astype(np.int64)
    end_um = np.cumsum(length_um)  # whole numbers: where a drive's roads begin cannot depend on the drives before it
    first = np.searchsorted(drives.row, np.arange(len(drives)))
    end_um -= (end_um - length_um)[first][drives.row]
    begin_m, end_m = (end_um - length_um) / 1e6, end_um / 1e6
    low, high = drives.from_m[drives.row], drives.to_m[drives.row]
    return np.maximum(np.minimum(end_m, high) - np.maximum(begin_m, low), 0.0)


def _junction_events(roads: RoadTable, drives: DrivenRoutes, driven: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Return left turns, right turns, arterial crossings and entries to arterials, each at the road before, [K]."""
    k = drives.roads
    onward = np.r_[(drives.row[1:] == drives.row[:-1]) & driven[1:] & driven[:-1], False]
    following = np.r_[k[1:], k[-1:]]
    turn_rad = roads.bearing_first_rad[following] - roads.bearing_last_rad[k]
    turn_deg = np.degrees(np.arctan2(np.sin(turn_rad), np.cos(turn_rad)))
    entry = (roads.kind[k] == MAJOR) & (roads.kind[following] < MAJOR)
    return [onward & event for event in (turn_deg > TURN_DEG, turn_deg < -TURN_DEG, roads.crossing[k], entry)]


def _arterial_crossings(city: City, kind: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of each node whether arterials of two names or more meet there, [nodes]."""
    named = (kind < MAJOR) & city.roads["name"].notna().to_numpy()
    names = pd.factorize(city.roads["name"])[0][named]
    ends = pd.DataFrame({"node": np.r_[city.u[named], city.v[named]], "name": np.r_[names, names]}).drop_duplicates()
    return np.bincount(ends["node"], minlength=int(max(city.u.max(), city.v.max())) + 1) > 1


def _flatten(routes: Sequence[NDArray], roads_of_city: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    flat = Ragged.of(routes, np.int64)
    roads, row = flat.flat, flat.row
    if not flat.counts.all():
        raise InputError(f"route {int(np.argmin(flat.counts))} has no roads; a route needs at least one road.")
    if roads.min() < 0 or roads.max() >= roads_of_city:
        bad = int(np.argmax((roads < 0) | (roads >= roads_of_city)))
        raise InputError(
            f"route {row[bad]} has the road {roads[bad]}; this city's roads are 0 to {roads_of_city - 1}: "
            "prepare the trips with this city."
        )
    return roads, row
