"""Describe how each trip moves by some fifty numbers: speed, acceleration, stops, turns, distance to the road.

Everything is read off the points as they are given, so nothing that generated trips know better than recorded ones (a
route, a place along it) can hide what tells them apart. Lengths are metres, speeds m/s.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from htp.compute.ragged import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Padded = NDArray[np.float64]  # [B, T], not a number behind a trip's last value

STANDING_M_S = 1 / 3  # ours: 5 m in 15 s, what a receiver's error makes of a car at rest
CREEPING_M_S = 2.0  # ours
EXACTLY_M = 0.005  # a written coordinate has centimetres
TURN_DEG = (30.0, 120.0)  # ours: a turn, and a way back
LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


@cache
def descriptions() -> tuple[str, ...]:
    """Return what the columns of `describe_movement` are."""
    two_points = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([2], np.int32)
    return tuple(_described(*two_points, np.ones(1, np.float32), np.zeros(2, np.float32)))


def describe_movement(
    xy_m: NDArray[np.float64],
    points: NDArray[np.int32],
    interval_s: NDArray[np.float32],
    road_distance_m: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the descriptions of B trips with N points at `xy_m` [N, 2] metres, `road_distance_m` [N] from a road.

    They are [B, F]; what a trip has too few points for is not a number.
    """
    found = _described(xy_m, points, interval_s, road_distance_m)
    return np.column_stack(list(found.values())).astype(np.float32)


def _described(
    xy_m: NDArray[np.float64],
    points: NDArray[np.int32],
    interval_s: NDArray[np.float32],
    road_distance_m: NDArray[np.float32],
) -> dict[str, NDArray[np.float64]]:
    rows = Ragged.from_counts(np.column_stack([xy_m, road_distance_m]), points)
    placed = rows.pad(int(points.max()))
    real = np.arange(placed.shape[1]) < points[:, None]
    placed = np.where(real[..., None], placed, np.nan)
    every_s = interval_s.astype(np.float64)[:, None]
    step = np.diff(placed[..., :2], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing, where a trip is short
        speed = np.hypot(*np.moveaxis(step, -1, 0)) / every_s
        found = _speeds(speed) | _changes(speed, every_s) | _stops(speed, speed * every_s) | _turns(step, speed)
        found |= _road_distances(placed[..., 2], speed)
        found["way over straight line"] = _detour(placed[..., :2], speed * every_s, points)
    return found


def _speeds(speed: Padded) -> dict[str, NDArray[np.float64]]:
    found = {"mean speed": np.nanmean(speed, 1), "spread of speed": np.nanstd(speed, 1)}
    found["top speed"] = np.nanmax(speed, 1)
    found |= _quantiles("speed", speed)
    found["speed of the first step"] = speed[:, 0]
    last = np.isfinite(speed).sum(axis=1) - 1
    found["speed of the last step"] = np.take_along_axis(speed, last[:, None], axis=1)[:, 0]
    for lag in (1, 2, 4):
        found[f"speed like {lag} before"] = _correlation(speed, lag)
    return found


def _changes(speed: Padded, every_s: Padded) -> dict[str, NDArray[np.float64]]:
    acceleration = np.diff(speed, axis=1) / every_s
    jerk = np.diff(acceleration, axis=1)
    found = _quantiles("acceleration", acceleration)
    found["mean size of acceleration"] = np.nanmean(np.abs(acceleration), 1)
    found["spread of acceleration"] = np.nanstd(acceleration, 1)
    found["acceleration like 1 before"] = _correlation(acceleration, 1)
    found["mean jerk"] = np.nanmean(np.abs(jerk), 1)
    found["spread of jerk"] = np.nanstd(jerk, 1)
    usual = _quantile(speed, 0.5)[:, None]
    steady = np.abs(speed[:, :-1] - usual) < 0.2 * usual
    found["acceleration in steady driving"] = np.nanmean(np.where(steady, np.abs(acceleration), np.nan), 1)
    return found


def _stops(speed: Padded, step_m: Padded) -> dict[str, NDArray[np.float64]]:
    known = np.isfinite(speed)
    count = known.sum(axis=1)
    standing = known & (speed < STANDING_M_S)
    begins = standing & ~np.pad(standing[:, :-1], ((0, 0), (1, 0)))
    ends = standing[:, :-1] & known[:, 1:] & ~standing[:, 1:]
    stops = begins.sum(axis=1)
    longest, run = np.zeros(len(speed)), np.zeros(len(speed))
    for column in standing.T:
        run = np.where(column, run + 1, 0)
        longest = np.maximum(longest, run)
    return {
        "share standing": standing.sum(axis=1) / count,
        "share exactly at rest": (known & (step_m < EXACTLY_M)).sum(axis=1) / count,
        "share creeping": (known & ~standing & (speed < CREEPING_M_S)).sum(axis=1) / count,
        "stops a point": stops / count,
        "points a stop": standing.sum(axis=1) / stops,
        "longest stop": longest,
        "speed after a stop": np.nanmean(np.where(ends, speed[:, 1:], np.nan), 1),
        "speed before a stop": np.nanmean(np.where(begins[:, 1:] & ~standing[:, :-1], speed[:, :-1], np.nan), 1),
        "speed while standing": np.nanmean(np.where(standing, speed, np.nan), 1),
    }


def _turns(step: NDArray[np.float64], speed: Padded) -> dict[str, NDArray[np.float64]]:
    heading = np.arctan2(step[..., 1], step[..., 0])
    turn = np.degrees(np.abs(np.angle(np.exp(1j * np.diff(heading, axis=1)))))
    moving = np.minimum(speed[:, 1:], speed[:, :-1])
    driven = np.where(moving > CREEPING_M_S, turn, np.nan)
    bend = driven > TURN_DEG[0]
    known = np.maximum(np.isfinite(driven).sum(axis=1), 1)
    return {
        "mean turn": np.nanmean(driven, 1),
        "turn, 50 %": _quantile(driven, 0.5),
        "turn, 90 %": _quantile(driven, 0.9),
        "share of turns": bend.sum(axis=1) / known,
        "share of ways back": (driven > TURN_DEG[1]).sum(axis=1) / known,
        "speed in turns": np.nanmean(np.where(bend, moving, np.nan), 1) / np.nanmean(speed, 1),
        "turn while slow": np.nanmean(np.where(moving <= CREEPING_M_S, turn, np.nan), 1),
    }


def _road_distances(away_m: Padded, speed: Padded) -> dict[str, NDArray[np.float64]]:
    change = np.abs(np.diff(away_m, axis=1))
    return {
        "mean distance to the road": np.nanmean(away_m, 1),
        "spread of the distance to the road": np.nanstd(away_m, 1),
        "distance to the road, 50 %": _quantile(away_m, 0.5),
        "distance to the road, 90 %": _quantile(away_m, 0.9),
        "change of the distance to the road": np.nanmean(change, 1),
        "distance to the road like 1 before": _correlation(away_m, 1),
        "change of the distance while standing": np.nanmean(np.where(speed < STANDING_M_S, change, np.nan), 1),
    }


def _detour(xy_m: NDArray[np.float64], step_m: Padded, points: NDArray[np.int32]) -> NDArray[np.float64]:
    last = np.take_along_axis(xy_m, (points - 1).astype(np.int64)[:, None, None], axis=1)[:, 0]
    return np.nansum(step_m, axis=1) / np.maximum(np.hypot(*(last - xy_m[:, 0]).T), 1.0)


def _quantiles(of: str, values: Padded) -> dict[str, NDArray[np.float64]]:
    return {f"{of}, {100 * level:g} %": _quantile(values, level) for level in LEVELS}


def _quantile(values: Padded, level: float) -> NDArray[np.float64]:
    """Return a quantile of each row, straight between its values; not a number where it has none."""
    if values.shape[1] == 0:
        return np.full(len(values), np.nan)
    ordered = np.sort(values, axis=1)  # what is not a number comes last
    place = level * np.maximum(np.isfinite(values).sum(axis=1) - 1, 0)
    low = np.floor(place).astype(np.int64)[:, None]
    high = np.ceil(place).astype(np.int64)[:, None]
    below, above = (np.take_along_axis(ordered, at, axis=1)[:, 0] for at in (low, high))
    return below + (place - low[:, 0]) * (above - below)


def _correlation(values: Padded, lag: int) -> NDArray[np.float64]:
    """Return how like the values of each row are to those `lag` before, -1 to 1."""
    if values.shape[1] <= lag:
        return np.full(len(values), np.nan)
    apart = values - np.nanmean(values, axis=1)[:, None]
    pairs = apart[:, lag:] * apart[:, :-lag]
    like = np.nansum(pairs, axis=1) / np.maximum(np.nansum(apart**2, axis=1), 1e-9)
    return np.where(np.isfinite(pairs).any(axis=1), like, np.nan)
