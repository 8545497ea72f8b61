"""Turn the exact positions of the probes into raw GPS trips, as receivers in cars would have recorded them.

The error of a receiver drifts: it is an AR(1) process in each direction, its size differs from trip to trip, and now
and then a reflection throws the points off for a minute. Chosen so that the distance to the road is as in Porto's
taxi data: some 3 m in the median, 8 to 10 m at the 90th percentile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import signal

from htp.recording import MAX_POINTS, MIN_POINTS

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.city.network import City

PERSISTENCE = 0.8  # of the error over PERSISTENCE_S
PERSISTENCE_S = 15.0
ERROR_M = 3.8  # median over trips of the error's stationary standard deviation in each direction
ERROR_SPREAD = 0.45  # standard deviation of the logarithm of that size over trips
JUMP_RATE = 0.007  # jumps in PERSISTENCE_S
JUMP_M = 42.0  # standard deviation of a jump in each direction; it decays as the error does
FASTEST_MS = 45.0  # a vehicle that moved faster was teleported by SUMO out of a jam


def raw_trips(city: City, probes: Path, day: date, interval_s: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return the raw trips of usable length of a day: `trip_id`, `start_time`, `interval`, `geometry`."""
    columns = ["timestep_time", "vehicle_id", "vehicle_x", "vehicle_y"]
    points = pd.read_parquet(probes, columns=columns)
    points["vehicle_id"] = points["vehicle_id"].astype(np.int64)
    points = points.sort_values(["vehicle_id", "timestep_time"], kind="stable", ignore_index=True)
    points = points[_whole(points, interval_s)]
    vehicle, first, count = np.unique(points["vehicle_id"], return_index=True, return_counts=True)
    xy_m = points[["vehicle_x", "vehicle_y"]].to_numpy() + gps_error(count, interval_s, rng)
    lonlat = city.to_lonlat(xy_m).round(6)
    midnight = pd.Timestamp(day, tz=city.timezone)
    start_s = pd.to_timedelta(points["timestep_time"].to_numpy()[first], unit="s")
    table = {
        "trip_id": [f"{day:%Y%m%d}-{number:06d}" for number in vehicle.tolist()],
        "start_time": (midnight + start_s).as_unit("us"),
        "interval": np.full(len(vehicle), interval_s, dtype=np.float32),
    }
    lines = shapely.linestrings(lonlat, indices=np.repeat(np.arange(len(vehicle)), count))
    return gpd.GeoDataFrame(table, geometry=lines, crs="EPSG:4326")


def _whole(points: pd.DataFrame, interval_s: int) -> NDArray[np.bool_]:
    """Mark the points of vehicles that were seen at every interval, never teleported, and as often as is usable."""
    vehicle = points["vehicle_id"].to_numpy()
    same = vehicle[1:] == vehicle[:-1]
    pause_s = np.diff(points["timestep_time"].to_numpy())
    step_m = np.hypot(np.diff(points["vehicle_x"].to_numpy()), np.diff(points["vehicle_y"].to_numpy()))
    broken = same & ((pause_s > interval_s) | (step_m > FASTEST_MS * interval_s))
    _, row, count = np.unique(vehicle, return_inverse=True, return_counts=True)
    good = (count >= MIN_POINTS) & (count <= MAX_POINTS)
    good[row[1:][broken]] = False
    return good[row]


def gps_error(counts: NDArray[np.int64], interval_s: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the errors in metres east and north of trips with so many points each, [sum of counts, 2]."""
    elapsed = interval_s / PERSISTENCE_S
    kept = PERSISTENCE**elapsed
    size_m = ERROR_M * np.exp(rng.normal(scale=ERROR_SPREAD, size=len(counts)))
    shape = (2, len(counts), int(counts.max(initial=1)))
    shocks_m = rng.normal(size=shape) * (size_m * np.sqrt(1 - kept**2))[:, None]
    shocks_m[:, :, 0] = rng.normal(size=shape[:2]) * size_m  # stationary from the first point on
    jumps = rng.random(shape[1:]) < JUMP_RATE * elapsed
    shocks_m += jumps * rng.normal(scale=JUMP_M, size=shape)
    error_m = signal.lfilter([1.0], [1.0, -kept], shocks_m, axis=2)
    there = np.arange(shape[2]) < counts[:, None]
    return error_m[:, there].T
