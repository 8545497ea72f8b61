"""Say which roads may follow which: the turns of a city, without turning back where the road goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from htp.compute.ragged import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.city.network import City

GRID_PER_DEGREE = 1e7  # 1 cm, to which sources round


def opposite_roads(city: City) -> NDArray[np.int32]:
    """Return for each road the road_id of the same street in the other direction, -1 where it is one-way, [V]."""
    there, back = _signatures(city)
    _, number = np.unique(np.concatenate([there, back]), axis=0, return_inverse=True)
    road_of = np.full(number.max() + 1, -1, dtype=np.int32)
    road_of[number[: len(city)]] = np.arange(len(city), dtype=np.int32)
    opposite = road_of[number[len(city) :]]
    opposite[opposite == np.arange(len(city))] = -1  # a loop that runs back on itself
    return opposite


def _signatures(city: City) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows of whole numbers that tell streets apart, driven there and driven back, [V, 9] each."""
    lonlat = shapely.get_coordinates(city.roads.geometry.to_numpy())
    cell = np.rint(lonlat * GRID_PER_DEGREE).astype(np.int64)
    first, end = city.first_vertex[:-1], city.first_vertex[1:]
    same_both_ways = np.column_stack([np.add.reduceat(cell, first), end - first])
    second, last_but_one = cell[first + 1], cell[end - 2]
    there = np.column_stack([city.u, city.v, second, last_but_one, same_both_ways])
    back = np.column_stack([city.v, city.u, last_but_one, second, same_both_ways])
    return there, back


def successors(city: City) -> csr_array:
    """Return the turns as a sparse matrix of ones, [V, V]: row i has the roads that may follow road i.

    The road back along the same street follows only at a dead end, or where there is no other way out of (or into) a
    part of the network; so any two roads that were connected stay so.
    """
    order = np.argsort(city.u, kind="stable")  # roads by the node they start at
    begin = np.searchsorted(city.u[order], city.v, side="left")
    count = np.searchsorted(city.u[order], city.v, side="right") - begin
    following = Ragged.ranges(begin, count)
    before, after = following.row, order[following.flat]

    turns_back = city.opposite[before] == after
    dead_end = count == np.bincount(before[turns_back], minlength=len(city))
    kept = ~turns_back | dead_end[before]
    _, part = connected_components(_turns(len(city), before[kept], after[kept]), connection="strong")
    kept |= part[before] != part[after]
    return _turns(len(city), before[kept], after[kept])


def _turns(roads: int, before: NDArray[np.integer], after: NDArray[np.integer]) -> csr_array:
    return csr_array((np.ones(len(before), dtype=np.int8), (before, after)), shape=(roads, roads))


def turn_degrees(city: City, before: NDArray[np.integer], after: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return by how much the direction changes from each road `before` to each road `after`, 0 to 180 degrees, [N]."""
    first, end = city.first_vertex[:-1], city.first_vertex[1:]
    leaving = (city.xy_m[first + 1] - city.xy_m[first])[after]
    arriving = (city.xy_m[end - 1] - city.xy_m[end - 2])[before]
    cross = arriving[:, 0] * leaving[:, 1] - arriving[:, 1] * leaving[:, 0]
    return np.abs(np.degrees(np.arctan2(cross, (arriving * leaving).sum(axis=1))))
