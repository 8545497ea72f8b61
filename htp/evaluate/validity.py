"""Check generated trips one by one against the conditions of the real trips they were made for.

Trips pair up by `trip_id`, as `htp generate --like` writes them. Travel distance is along the route, from the first
aligned point to the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from htp.city.linear_referencing import RouteLines
from htp.errors import InputError
from htp.evaluate.checked_trips import read_pieces

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city import City
    from htp.evaluate.checked_trips import Trips

TOLERANCE = 0.02  # of travel time and travel distance
ON_ROUTE_M = 1.0  # ours: coordinates are stored to 0.1 m
PIECE = 4096  # trips checked at a time


@dataclass(frozen=True)
class Validity:
    """Shares of generated trips, 0 to 1, that keep to their conditions; None where the tables do not say."""

    trips: int  # that were checked
    on_route: float | None  # the aligned points lie on the real trip's route and never run back
    points: float | None  # as many points as the real trip
    time: float | None  # travel time within 2 %
    distance: float | None  # travel distance within 2 %
    everything: float | None  # all four at once


@dataclass(frozen=True)
class _Asked:
    """The conditions of one real trip."""

    points: int
    duration_s: float
    distance_m: float  # NaN where the trip carries no percent
    roads: NDArray[np.int32]


def validity(real: Trips, generated: Trips, city: City) -> Validity | None:
    """Return the shares of generated trips that keep to the conditions of the real trip of the same `trip_id`.

    None where a generated trip has no such partner: they were made for other conditions. Route and distance need
    `roads` and `percent` in both tables and `offset` in the generated one. `InputError` where an id comes twice.
    """
    asked = _conditions(real, city)
    kept: list[NDArray[np.float64]] = []
    seen: set[str] = set()
    for piece in read_pieces(generated, PIECE):
        if "trip_id" not in piece or not piece["trip_id"].isin(asked.keys()).all():
            return None
        _check_unique(piece, seen, "generated")
        kept.append(_kept(piece, [asked[trip_id] for trip_id in piece["trip_id"]], city))
    if not kept:
        return None
    shares = np.concatenate(kept).mean(axis=0)
    route, points, time, distance, everything = (None if np.isnan(share) else float(share) for share in shares)
    return Validity(sum(map(len, kept)), route, points, time, distance, everything)


def _conditions(real: Trips, city: City) -> dict[str, _Asked]:
    asked: dict[str, _Asked] = {}
    seen: set[str] = set()
    for piece in read_pieces(real, PIECE):
        if "trip_id" not in piece:
            return {}
        _check_unique(piece, seen, "real")
        points, duration_s = _points_and_duration(piece)
        labelled = {"roads", "percent"} <= set(piece.columns)
        distance_m = _distance_m(piece, city) if labelled else np.full(len(piece), np.nan)
        roads = piece["roads"] if labelled else [np.zeros(0, dtype=np.int32)] * len(piece)
        conditions = map(_Asked, points, duration_s, distance_m, roads)
        asked.update(zip(piece["trip_id"], conditions, strict=True))
    return asked


def _check_unique(trips: gpd.GeoDataFrame, seen: set[str], which: str) -> None:
    """Raise `InputError` where the id of a trip is among those seen, and add all to them."""
    again = trips["trip_id"].duplicated() | trips["trip_id"].isin(seen)
    if again.any():
        raise InputError(
            f"Several {which} trips are called {trips['trip_id'][again].iloc[0]!r}, so that generated trips cannot be "
            "paired with real ones; give every trip an id of its own, as `htp prepare` does."
        )
    seen.update(trips["trip_id"])


def _kept(trips: gpd.GeoDataFrame, asked: list[_Asked], city: City) -> NDArray[np.float64]:
    """Return for each trip 1 or 0 for route, points, time, distance and all at once; NaN where it cannot be told."""
    points, duration_s = _points_and_duration(trips)
    kept = np.full((len(trips), 5), np.nan)
    kept[:, 1] = points == [a.points for a in asked]
    kept[:, 2] = _close(duration_s, np.array([a.duration_s for a in asked]))
    wanted_m = np.array([a.distance_m for a in asked])
    if {"roads", "percent", "offset"} <= set(trips.columns) and not np.isnan(wanted_m).any():
        kept[:, 0] = _on_route(trips, asked, city)
        kept[:, 3] = _close(_distance_m(trips, city), wanted_m)
    kept[:, 4] = kept[:, :4].prod(axis=1)
    return kept


def _on_route(trips: gpd.GeoDataFrame, asked: list[_Asked], city: City) -> NDArray[np.bool_]:
    """Tell for each trip whether its points, less their offsets, lie on the route asked for where percent says."""
    lonlat, row = shapely.get_coordinates(trips.geometry.to_numpy(), return_index=True)
    same = np.array([np.array_equal(roads, a.roads) for roads, a in zip(trips["roads"], asked, strict=True)])
    counts = np.bincount(row, minlength=len(trips))
    complete = (trips["percent"].map(len) == counts) & (trips["offset"].map(len) == 2 * counts)
    if not complete.all():
        name = trips["trip_id"].iloc[int(np.argmin(complete))]
        raise InputError(f"Trip {name} has more or fewer values of percent and offset than points; generate it again.")
    percent = np.concatenate(trips["percent"].to_list()).astype(float)
    offset = np.concatenate(trips["offset"].to_list()).astype(float).reshape(-1, 2)
    routes = RouteLines.of(city, [a.roads for a in asked])
    away_m = city.to_metres(lonlat) - offset - routes.place(row, percent * routes.length_m[row])
    wrong = (np.hypot(*away_m.T) > ON_ROUTE_M) | (percent < 0) | (percent > 1)
    wrong[1:] |= (row[1:] == row[:-1]) & (np.diff(percent) < 0)
    return same & (np.bincount(row, wrong, len(trips)) == 0)


def _points_and_duration(trips: gpd.GeoDataFrame) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    points = shapely.get_num_points(trips.geometry.to_numpy()).astype(np.int64)
    return points, (points - 1) * trips["interval"].to_numpy(dtype=float)


def _distance_m(trips: gpd.GeoDataFrame, city: City) -> NDArray[np.float64]:
    driven = np.array([float(percent[-1]) - float(percent[0]) for percent in trips["percent"]])
    return driven * RouteLines.of(city, trips["roads"].to_list()).length_m


def _close(value: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.abs(value - wanted) <= TOLERANCE * wanted
