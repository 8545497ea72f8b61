"""Read a day's record off as GPS receivers in the cars would have, at any multiple of its 5 s.

The error of a receiver drifts: it is an AR(1) process in each direction, its size differs from trip to trip and grows
where the city is dense, and now and then a reflection throws the points off for a minute. Receivers differ in their
habits: most hold their position while the car stands and jump when it moves on, and they round to five decimals or
six. All is drawn from a random stream of its own, so a day gives other trips without being driven again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import signal

from htp.recording import MAX_POINTS, MIN_POINTS
from htp.simulate.demand import built_up
from htp.simulate.record import RECORD_S

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.simulate.record import Record

PERSISTENCE = 0.8  # of the error over PERSISTENCE_S
PERSISTENCE_S = 15.0
ERROR_M = 3.4  # median over trips of the error's stationary standard deviation in each direction, in the open
ERROR_SPREAD = 0.45  # standard deviation of the logarithm of that size over trips
BUILT_UP = 0.6  # the error is this much larger where the city is densest
JUMP_RATE = 0.007  # jumps in PERSISTENCE_S
JUMP_M = 42.0  # standard deviation of a jump in each direction; it decays as the error does
HOLDING = 0.6  # share of the receivers that hold their position while the car stands
HOLD_MS = (0.4, 2.2)  # below a speed between these, by receiver, the car stands
COARSE = 0.2  # share of the receivers that round to COARSE_DECIMALS
DECIMALS, COARSE_DECIMALS = 6, 5


@dataclass(frozen=True)
class Receivers:
    """The habits of the receivers of K trips."""

    error_m: NDArray[np.float64]  # [K] the error's standard deviation in each direction, in the open
    hold_ms: NDArray[np.float64]  # [K] slower than that the car stands for it; 0: it never holds
    coarse: NDArray[np.bool_]  # [K] rounds to COARSE_DECIMALS
    phase: NDArray[np.float64]  # [K] where in the interval it reads its first point, 0 to 1

    @classmethod
    def draw(cls, trips: int, rng: np.random.Generator) -> Receivers:
        """Draw a receiver for each trip."""
        return cls(
            error_m=ERROR_M * np.exp(rng.normal(scale=ERROR_SPREAD, size=trips)),
            hold_ms=np.where(rng.random(trips) < HOLDING, rng.uniform(*HOLD_MS, size=trips), 0.0),
            coarse=rng.random(trips) < COARSE,
            phase=rng.random(trips),
        )


def raw_trips(city: City, record: Record, day: date, interval_s: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return the raw trips of usable length of a day: `trip_id`, `start_time`, `interval`, `geometry`."""
    receivers = Receivers.draw(len(record.vehicle), rng)
    xy_m = held(record, receivers, record.xy_m + gps_error(city, record, receivers, rng))
    kept, first, count = _read_off(record.count, interval_s // RECORD_S, receivers.phase)
    usable = (count >= MIN_POINTS) & (count <= MAX_POINTS)
    trip = np.flatnonzero(usable)
    kept, count = kept[np.repeat(usable, count)], count[usable]
    lonlat = city.to_lonlat(xy_m[kept])
    coarse = np.repeat(receivers.coarse[trip], count)[:, None]
    lonlat = np.where(coarse, lonlat.round(COARSE_DECIMALS), lonlat.round(DECIMALS))
    start_s = pd.to_timedelta(record.time_s[first[trip]], unit="s")
    table = {
        "trip_id": [f"{day:%Y%m%d}-{number:06d}" for number in record.vehicle[trip].tolist()],
        "start_time": (pd.Timestamp(day, tz=city.timezone) + start_s).as_unit("us"),
        "interval": np.full(len(trip), interval_s, dtype=np.float32),
    }
    lines = shapely.linestrings(lonlat, indices=np.repeat(np.arange(len(trip)), count))
    return gpd.GeoDataFrame(table, geometry=lines, crs="EPSG:4326")


def _read_off(
    counts: NDArray[np.int64], stride: int, phase: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows that receivers read off, every `stride` of a trip's, each trip's first, and how many they are."""
    begins = np.cumsum(counts) - counts
    offset = np.minimum((phase * stride).astype(np.int64), np.maximum(counts - 1, 0))
    place = np.arange(counts.sum()) - np.repeat(begins + offset, counts)
    read = (place >= 0) & (place % stride == 0)
    return np.flatnonzero(read), begins + offset, np.add.reduceat(read, begins) if len(counts) else counts


def held(record: Record, receivers: Receivers, xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the positions with those of standing cars held at where they came to stand, [N, 2]."""
    moves = record.speed_ms >= np.repeat(receivers.hold_ms, record.count)
    fresh = moves | np.concatenate([[True], moves[:-1]])  # the first row of a stand is read, the others repeat it
    fresh[np.cumsum(record.count) - record.count] = True
    return xy_m[np.maximum.accumulate(np.where(fresh, np.arange(len(fresh)), 0))]


def gps_error(city: City, record: Record, receivers: Receivers, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the errors in metres east and north of every row of a record, [N, 2]."""
    elapsed = RECORD_S / PERSISTENCE_S
    kept = PERSISTENCE**elapsed
    size_m = np.repeat(receivers.error_m, record.count)
    begins = np.cumsum(record.count) - record.count
    shocks_m = rng.normal(size=(len(size_m), 2)) * (size_m * np.sqrt(1 - kept**2))[:, None]
    shocks_m[begins] /= np.sqrt(1 - kept**2)  # stationary from the first point on
    built = BUILT_UP * built_up(city, record.xy_m)
    drift_m = _decaying(shocks_m, kept, record.count) * (1 + built)[:, None]
    jumps = rng.random(len(size_m)) < JUMP_RATE * elapsed * (0.5 + built)
    return drift_m + _decaying(jumps[:, None] * rng.normal(scale=JUMP_M, size=(len(size_m), 2)), kept, record.count)


def _decaying(shocks: NDArray[np.float64], kept: float, count: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sum of each row's shock and `kept` of the sum before it, from each trip's first row anew, [N, 2]."""
    total = signal.lfilter([1.0], [1.0, -kept], shocks, axis=0)
    begins = np.cumsum(count) - count
    before = np.where((begins > 0)[:, None], total[begins - 1], 0.0)  # what runs over from the trip before
    since = np.arange(1, len(shocks) + 1) - np.repeat(begins, count)
    return total - np.repeat(before, count, axis=0) * (kept**since)[:, None]
