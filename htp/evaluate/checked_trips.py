"""Read tables of trips piece by piece, and check that each trip can be measured: where it lies and when it drives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias
from zlib import crc32

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from htp.errors import InputError
from htp.trips import count_trips, iter_trips, point_times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from htp.city import City

Trips: TypeAlias = gpd.GeoDataFrame | Path | str  # a table, a file or a folder of parts

FOLDS = 5  # parts that a classifier is trained on and asked about in turns
FAR_DEG = 5.0  # beyond the bounds of the city no metric coordinates make sense


@dataclass(frozen=True)
class CheckedTrips:
    """Checked trips: B of them with N points, trip after trip."""

    lonlat: NDArray[np.float64]  # [N, 2] degrees
    points: NDArray[np.int32]  # [B] points of each trip, at least 2
    interval_s: NDArray[np.float32]  # [B] sampling interval
    hour: NDArray[np.int8]  # [N] hour of the day of each point, 0 to 23, by the city's clocks
    fold: NDArray[np.int8]  # [B] in which of FOLDS parts a trip is, the same for a name in every table

    @classmethod
    def of(cls, trips: gpd.GeoDataFrame, city: City) -> Self:
        """Check a table; `InputError` names the trip that cannot be measured."""
        lonlat, trip = coordinates(trips, city)
        points = np.bincount(trip, minlength=len(trips)).astype(np.int32)
        names = trips["trip_id"] if "trip_id" in trips else lonlat[np.r_[0, np.cumsum(points)[:-1]]].tolist()
        return cls(lonlat, points, _intervals_s(trips), _hours(trips, trip, city), _folds(names))


def read_pieces(trips: Trips, rows: int) -> Iterator[gpd.GeoDataFrame]:
    """Yield a table, file or folder of trips `rows` at a time."""
    if isinstance(trips, gpd.GeoDataFrame):
        return (trips.iloc[start : start + rows] for start in range(0, len(trips), rows))
    return iter_trips(trips, rows)


def number_of(trips: Trips) -> int:
    """Return the number of trips in a table, file or folder."""
    return len(trips) if isinstance(trips, gpd.GeoDataFrame) else count_trips(trips)


def nothing_in(trips: Trips) -> InputError:
    """Return the error for a table without trips."""
    name = "The table of trips" if isinstance(trips, gpd.GeoDataFrame) else str(trips)
    return InputError(f"{name}: there are no trips in it; give a table with at least one.")


def coordinates(trips: gpd.GeoDataFrame, city: City) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the points of all trips in degrees, [N, 2], and the row of each, [N].

    `InputError` where a trip is no line of two points or more, or lies nowhere near the city.
    """
    lines = trips.geometry.to_numpy()
    lonlat, trip = shapely.get_coordinates(lines, return_index=True)
    points = np.bincount(trip, minlength=len(lines))
    west, south, east, north = city.roads.total_bounds
    near = (lonlat >= [west - FAR_DEG, south - FAR_DEG]) & (lonlat <= [east + FAR_DEG, north + FAR_DEG])
    bad = (shapely.get_type_id(lines) != shapely.GeometryType.LINESTRING) | (points < 2)
    bad[trip[~near.all(axis=1)]] = True
    if bad.any():
        row = int(np.argmax(bad))
        where = f" (it begins at {lonlat[trip == row][0].round(5).tolist()})" if points[row] else ""
        raise InputError(
            f"Trip {_name(trips, row)} is no line of points in or near {city.name}{where}; give the city that the "
            "trips were made in, longitude first."
        )
    return lonlat, trip.astype(np.int64)


def _folds(names: Iterable[object]) -> NDArray[np.int8]:
    return np.array([crc32(str(name).encode()) % FOLDS for name in names], dtype=np.int8)


def _intervals_s(trips: gpd.GeoDataFrame) -> NDArray[np.float32]:
    if "interval" not in trips:
        raise InputError("The table of trips has no column 'interval'; give the seconds between the points of each.")
    interval_s = trips["interval"].to_numpy(dtype=np.float32)
    bad = ~(interval_s > 0)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"Trip {_name(trips, row)} has an interval of {interval_s[row]:g} s; give the seconds between its points, "
            "more than 0."
        )
    return interval_s


def _hours(trips: gpd.GeoDataFrame, trip: NDArray[np.int64], city: City) -> NDArray[np.int8]:
    if "start_time" not in trips or getattr(trips["start_time"].dtype, "tz", None) is None:
        raise InputError("The table of trips has no 'start_time' with a time zone; give the time each trip begins at.")
    missing = pd.isna(trips["start_time"]).to_numpy()
    if missing.any():
        raise InputError(f"Trip {_name(trips, int(np.argmax(missing)))} has no start_time; give the time it begins at.")
    return point_times(trips, trip).tz_convert(city.timezone).hour.to_numpy(dtype=np.int8)


def _name(trips: gpd.GeoDataFrame, row: int) -> str:
    return str(trips["trip_id"].iloc[row] if "trip_id" in trips else row)
