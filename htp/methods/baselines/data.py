"""Describe trips to the baselines: points of a fixed number, normalised, and the attributes of DiffTraj.

Every trip is resampled to L points, straight between its own points by their index, and what is generated back to the
trip's own number of points. The attributes are those of DiffTraj; all follow from the route, the start time, the travel
time, the distance and the interval, which HTP has too, but for the cells of the first and the last point. The mean step
and the mean speed say nothing that distance, duration and points do not say together.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
import torch

from htp.city.linear_referencing import check_roads
from htp.compute.random_streams import BASELINES, stream_of
from htp.errors import InputError
from htp.files import replacing
from htp.json_files import read_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray
    from torch import Tensor

    from htp.city.network import City

SLOT_MINUTES, SLOTS = 5, 288  # departure slots of a day, DiffTraj
GRID = 16  # the trained area in 16 × 16 cells, DiffTraj
CELLS = GRID * GRID + 1  # rows of a table of cells; the published one has a row too many
NUMBERS = 5  # distance, duration, points, mean step, mean speed
SMALLEST = 1e-9  # of a deviation: numbers that are all the same become 0


@dataclass(frozen=True)
class Normalisation:
    """What training trips are normalised by, and the box that cells divide."""

    mean: tuple[float, ...]  # [2] degrees
    deviation: tuple[float, ...]  # [2] degrees
    bounds: tuple[float, ...]  # west, south, east, north ends of the points, degrees
    number_mean: tuple[float, ...]  # [NUMBERS]
    number_deviation: tuple[float, ...]  # [NUMBERS]

    @classmethod
    def of(cls, trips: gpd.GeoDataFrame, city: City) -> Normalisation:
        """Measure training trips."""
        lonlat, numbers = shapely.get_coordinates(trips.geometry.to_numpy()), numbers_of(trips, city)
        deviations = (np.maximum(values.std(axis=0), SMALLEST) for values in (lonlat, numbers))
        lonlat_deviation, number_deviation = (tuple(values.tolist()) for values in deviations)
        bounds = tuple(np.r_[lonlat.min(axis=0), lonlat.max(axis=0)].tolist())
        means = (tuple(values.mean(axis=0).tolist()) for values in (lonlat, numbers))
        lonlat_mean, number_mean = means
        return cls(lonlat_mean, lonlat_deviation, bounds, number_mean, number_deviation)

    def normalise(self, lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return degrees [N, 2] in deviations from the mean."""
        return ((lonlat - np.array(self.mean)) / np.array(self.deviation)).astype(np.float32)

    def to_lonlat(self, normalised: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the degrees [N, 2] of normalised points."""
        return np.asarray(normalised, dtype=np.float64) * np.array(self.deviation) + np.array(self.mean)

    def cells(self, lonlat: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the cell of each place, row by row from the south-west, 0 to 255, [N]; outside, the nearest cell."""
        low, high = np.array(self.bounds[:2]), np.array(self.bounds[2:])
        share = (lonlat - low) / np.maximum(high - low, SMALLEST)
        column, row = np.clip((share * GRID).astype(np.int64), 0, GRID - 1).T
        return row * GRID + column

    def save(self, path: Path) -> None:
        """Write as JSON."""
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Normalisation:
        """Read from JSON."""
        return cls(**{name: tuple(values) for name, values in read_object(path).items()})


@dataclass(frozen=True)
class AttributeBatch:
    """The conditions of B trips, as the baselines are told them."""

    slots: Tensor  # [B] 5-minute slot of the day in which the trip starts, long
    numbers: Tensor  # [B, NUMBERS] distance, duration, points, mean step, mean speed, normalised
    cells: Tensor  # [B, 2] of the first and of the last point, long
    roads: Sequence[NDArray[np.int32]]  # B routes

    @classmethod
    def of(cls, trips: gpd.GeoDataFrame, city: City, scale: Normalisation) -> AttributeBatch:
        """Return the conditions of prepared trips; `InputError` where they are not prepared for this city."""
        numbers = (numbers_of(trips, city) - np.array(scale.number_mean)) / np.array(scale.number_deviation)
        local = pd.DatetimeIndex(trips["start_time"]).tz_convert(city.timezone)
        slots = (local.hour.to_numpy() * 60 + local.minute.to_numpy()) // SLOT_MINUTES
        lonlat, first = shapely.get_coordinates(trips.geometry.to_numpy()), first_points(trips)
        cells = np.column_stack([scale.cells(lonlat[first[:-1]]), scale.cells(lonlat[first[1:] - 1])])
        routes = [np.asarray(route, dtype=np.int32) for route in trips["roads"]]
        return cls(
            torch.from_numpy(slots.astype(np.int64)),
            torch.from_numpy(numbers.astype(np.float32)),
            torch.from_numpy(cells),
            routes,
        )

    def __len__(self) -> int:
        return len(self.slots)

    def rows(self, rows: NDArray[np.int64], device: torch.device | str) -> AttributeBatch:
        """Return the conditions of some of the trips, on the device."""
        at = torch.from_numpy(rows)
        slots, numbers, cells = (part[at].to(device) for part in (self.slots, self.numbers, self.cells))
        return AttributeBatch(slots, numbers, cells, [self.roads[row] for row in rows])


class Streams:
    """The random streams of B trips: each trip's depends on the seed and its place alone."""

    def __init__(self, seed: int, places: Iterable[int], device: torch.device | str) -> None:
        self.device = device
        self.streams = [stream_of((seed, place), BASELINES) for place in places]

    def __len__(self) -> int:
        return len(self.streams)

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers, [B, *shape], each trip's the next of its own stream."""
        numbers = np.empty((len(self.streams), *shape), dtype=np.float32)
        for row, stream in enumerate(self.streams):
            numbers[row] = stream.standard_normal(shape, dtype=np.float32)
        return torch.from_numpy(numbers).to(self.device)


def numbers_of(trips: gpd.GeoDataFrame, city: City) -> NDArray[np.float64]:
    """Return distance along the route (m), duration (s), points, mean step (m), mean speed (m/s), [B, NUMBERS]."""
    if "percent" not in trips or "roads" not in trips:
        raise InputError("the trips have no columns 'roads' and 'percent'; run `htp prepare` on them first.")
    check_roads(city, list(trips["roads"]))
    length_m = np.array([city.length_m[np.asarray(route)].sum() for route in trips["roads"]])
    share = np.array([percent[-1] - percent[0] for percent in trips["percent"]], dtype=np.float64)
    points = np.diff(first_points(trips)).astype(np.float64)
    distance_m, steps = share * length_m, np.maximum(points - 1, 1)
    duration_s = steps * trips["interval"].to_numpy(dtype=np.float64)
    return np.column_stack([distance_m, duration_s, points, distance_m / steps, distance_m / duration_s])


def first_points(trips: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Return where the points of each trip begin among those of all, [B + 1]."""
    return np.r_[0, np.cumsum(shapely.get_num_coordinates(trips.geometry.to_numpy()))].astype(np.int64)


def points_of(trips: gpd.GeoDataFrame, scale: Normalisation, length: int) -> Tensor:
    """Return the points of trips, normalised and resampled to `length`, [B, 2, length]."""
    lonlat = scale.normalise(shapely.get_coordinates(trips.geometry.to_numpy()))
    counts = np.diff(first_points(trips))
    return as_channels(resample(lonlat, counts, np.full(len(trips), length)), length)


def resample(
    points: NDArray[np.floating], counts: NDArray[np.int64], wanted: NDArray[np.int64]
) -> NDArray[np.floating]:
    """Return polylines of other numbers of points, straight between their points by index: both ends stay.

    `points` [sum of counts, 2] polyline after polyline; the result is [sum of wanted, 2].
    """
    row = np.repeat(np.arange(len(counts)), wanted)
    number = np.arange(len(row)) - (np.cumsum(wanted) - wanted)[row]
    place = number * (counts[row] - 1) / np.maximum(wanted[row] - 1, 1)
    before = np.minimum(place.astype(np.int64), np.maximum(counts[row] - 2, 0))
    share = (place - before)[:, None].astype(points.dtype)
    first = (np.cumsum(counts) - counts)[row]
    after = np.minimum(before + 1, counts[row] - 1)
    return points[first + before] * (1 - share) + points[first + after] * share


def polylines(city: City, routes: Sequence[NDArray[np.int32]], scale: Normalisation, length: int) -> Tensor:
    """Return the geometry of routes, normalised and resampled to `length` points by index, [B, 2, length]."""
    lonlat = shapely.get_coordinates(city.roads.geometry.to_numpy())
    lines, first = [], city.first_vertex
    for route in routes:
        parts = [lonlat[first[road] + (at > 0) : first[road + 1]] for at, road in enumerate(route)]
        lines.append(np.concatenate(parts))  # a road begins where the one before ended: the joint is there once
    counts = np.array([len(line) for line in lines])
    joined = scale.normalise(np.concatenate(lines))
    return as_channels(resample(joined, counts, np.full(len(lines), length)), length)


def as_channels(points: NDArray[np.floating], length: int) -> Tensor:
    """Return [B · length, 2] as the networks read it, [B, 2, length]."""
    return torch.from_numpy(np.ascontiguousarray(points.reshape(-1, length, 2).transpose(0, 2, 1), dtype=np.float32))
