"""Ask whether draws spread as they should: several generated trips for each of some real trips' conditions (ours).

A calibrated generator's draws hold the real value as one of them would: its rank among K draws is any of the K + 1 with
the same chance, so the interval between the outermost of nine holds it 80 times in a hundred. Draws are called `ID/1`,
`ID/2`, ... after the real trip `ID`, as `htp generate --like --count` writes them.

How far along its way a trip is after a share of its time is read off its points, by the way between them; nothing is
matched to roads.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htp.compute.ragged import Ragged
from htp.errors import InputError
from htp.evaluate.checked_trips import CheckedTrips, read_pieces
from htp.evaluate.movement import STANDING_M_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city import City
    from htp.evaluate.checked_trips import Trips

BETWEEN = "/"  # a trip's id and the number of a draw
PIECE = 4096  # trips read at a time
LEVELS = (0.5, 0.8)  # of the intervals between draws
SHARES = (0.25, 0.5, 0.75)  # of the travel time
TIME = "travel time, s"
QUANTITIES = (*(f"metres driven after {share:.0%} of the time" for share in SHARES), "seconds standing", TIME)


@dataclass(frozen=True)
class Spread:
    """How one quantity of the real trips lies among its draws."""

    quantity: str  # of QUANTITIES
    coverage: tuple[float, ...]  # share of the real values within the central interval of the draws, for each of LEVELS
    ranks: tuple[float, ...]  # [K + 1] share of the real values that so many draws are below
    crps: float  # continuous ranked probability score, the mean over the real trips
    crps_of_draws: float  # the same for one of the draws in the real trip's place: what a calibrated model would reach


@dataclass(frozen=True)
class Calibration:
    """How draws for the same conditions spread around what was real."""

    trips: int  # real ones, each with as many draws
    draws: int  # of each
    spreads: tuple[Spread, ...]  # without travel time where it was given


def calibration(real: Trips, draws: Trips, city: City) -> Calibration:
    """Compare real trips with several draws for the conditions of each, both a table, a file or a folder of parts.

    Real trips without draws are left aside. `InputError` where draws belong to no real trip, or some trips have more of
    them than others.
    """
    drawn = _grouped(draws, city)
    found = {name: values for name, values in _values(real, city) if name in drawn}
    astray = next((name for name in drawn if name not in found), None)
    if astray is not None:
        raise InputError(
            f"No real trip is called {astray!r}, which draws are named after; make them with `htp generate --like` for "
            "these real trips, several for each."
        )
    counts = {len(values) for values in drawn.values()}
    if len(counts) != 1 or counts == {1}:
        raise InputError(
            "Calibration takes the same number of draws for each trip, two or more; make them with `htp generate "
            "--like`, several for each."
        )
    real_values = np.array([found[name] for name in drawn])
    draw_values = np.array(list(drawn.values()))
    time = QUANTITIES.index(TIME)
    given = bool((draw_values[..., time] == real_values[:, None, time]).all())
    spreads = tuple(
        spread(name, real_values[:, at], draw_values[..., at])
        for at, name in enumerate(QUANTITIES)
        if not (name == TIME and given)
    )
    return Calibration(len(real_values), draw_values.shape[1], spreads)


def draw_names(names: Iterable[str], draws: int) -> list[str]:
    """Return what the draws for trips of these names are called, trip after trip."""
    return [f"{name}{BETWEEN}{number}" for name in names for number in range(1, draws + 1)]


def spread(quantity: str, real: NDArray[np.float64], draws: NDArray[np.float64]) -> Spread:
    """Return how real values [N] lie among K draws each, [N, K]; equal ones share their ranks."""
    k = draws.shape[1]
    below = (draws < real[:, None]).sum(axis=1)
    upto = (draws <= real[:, None]).sum(axis=1)
    edges = np.arange(k + 2) / (k + 1)
    low, high = edges[below], edges[upto + 1]  # where the rank lies, anywhere between them with the same chance
    held = [_overlap(low, high, 0.5 - level / 2, 0.5 + level / 2).mean() for level in LEVELS]
    ranks = [_overlap(low, high, edges[at], edges[at + 1]).mean() for at in range(k + 1)]
    return Spread(quantity, tuple(map(float, held)), tuple(map(float, ranks)), _crps(real, draws), _own_crps(draws))


def _overlap(low: NDArray, high: NDArray, begin: float, end: float) -> NDArray[np.float64]:
    """Return which share of each interval from `low` to `high` lies between `begin` and `end`."""
    common: NDArray[np.float64] = np.minimum(high, end) - np.maximum(low, begin)
    return common.clip(0.0) / (high - low)


def _crps(real: NDArray[np.float64], draws: NDArray[np.float64]) -> float:
    """Return the mean distance from the draws, less half of their mean distance from each other (the fair estimate)."""
    return float(np.abs(draws - real[:, None]).mean() - 0.5 * _apart(draws))


def _own_crps(draws: NDArray[np.float64]) -> float:
    """Return the CRPS of each draw among the others: its distance from them, less half of theirs from each other."""
    return 0.5 * _apart(draws)


def _apart(draws: NDArray[np.float64]) -> float:
    """Return the mean distance between two different draws of the same trip."""
    k = draws.shape[1]
    ordered = np.sort(draws, axis=1)
    weight = 2 * np.arange(k) - k + 1  # of each in the sum of all distances
    return float((ordered * weight).sum(axis=1).mean() / (k * (k - 1) / 2))


def _grouped(draws: Trips, city: City) -> dict[str, list[NDArray[np.float64]]]:
    grouped: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
    for name, values in _values(draws, city):
        grouped[name.rpartition(BETWEEN)[0]].append(values)
    return grouped


def _values(trips: Trips, city: City) -> list[tuple[str, NDArray[np.float64]]]:
    found: list[tuple[str, NDArray[np.float64]]] = []
    for piece in read_pieces(trips, PIECE):
        found += zip(_names(piece), _quantities(CheckedTrips.of(piece, city), city), strict=True)
    return found


def _names(piece: gpd.GeoDataFrame) -> list[str]:
    if "trip_id" not in piece:
        raise InputError("The table of trips has no 'trip_id', so that draws cannot be put beside real trips.")
    return [str(name) for name in piece["trip_id"]]


def _quantities(trips: CheckedTrips, city: City) -> NDArray[np.float64]:
    """Return QUANTITIES of B trips, [B, Q]."""
    rows = Ragged.from_counts(city.to_metres(trips.lonlat), trips.points)
    placed = rows.pad(int(trips.points.max()))
    real = np.arange(placed.shape[1] - 1) < trips.points[:, None] - 1
    step_m = np.where(real, np.hypot(*np.moveaxis(np.diff(placed, axis=1), -1, 0)), 0.0)
    along_m = np.pad(np.cumsum(step_m, axis=1), ((0, 0), (1, 0)))
    interval_s = trips.interval_s.astype(np.float64)
    columns = [_at(along_m, share * (trips.points - 1.0)) for share in SHARES]
    standing = real & (step_m < STANDING_M_S * interval_s[:, None])
    columns += [standing.sum(axis=1) * interval_s, (trips.points - 1) * interval_s]
    return np.column_stack(columns)


def _at(along_m: NDArray[np.float64], place: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the way at a place between the points, straight between the two beside it."""
    before = np.floor(place).astype(np.int64)
    after = np.minimum(before + 1, along_m.shape[1] - 1)
    low, high = (np.take_along_axis(along_m, at[:, None], axis=1)[:, 0] for at in (before, after))
    return low + (place - before) * (high - low)
