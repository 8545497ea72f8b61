"""Place points along routes: route polylines ↔ percent, direction and offset (paper §4.1, Figure 3).

Many routes are handled at once: their polylines lie one after another in flat arrays, and `row` says to which route a
point belongs. Lengths and places are metres of the city's metric CRS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from htp.compute.ragged import Ragged
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from htp.city.network import City

GAP_M = 1.0  # between routes on the common axis, so that a search never crosses from one into the next


@dataclass(frozen=True)
class RouteLines:
    """The polylines of B routes, R roads and K vertices in all."""

    roads: Ragged[np.int32]  # [B] rows of road_id
    road_start_m: NDArray[np.float64]  # [R] metres from the start of the road's route
    road_length_m: NDArray[np.float64]  # [R]
    length_m: NDArray[np.float64]  # [B]
    xy_m: NDArray[np.float64]  # [K, 2]
    axis_m: NDArray[np.float64]  # [K] place of each vertex on the common axis, increasing
    base_m: NDArray[np.float64]  # [B] where each route begins on the common axis

    @classmethod
    def of(cls, city: City, routes: Sequence[NDArray[np.int32]]) -> RouteLines:
        """Lay out the polylines of routes given as lists of road_id; `InputError` where one is not the city's."""
        check_roads(city, routes)
        roads = Ragged.of(routes, np.int32)
        road_length_m = city.length_m[roads.flat]
        road_start_m = roads.like(road_length_m).sum_before()
        length_m = np.diff(np.r_[0.0, np.cumsum(road_length_m)][roads.first])
        base_m = np.r_[0.0, np.cumsum(length_m + GAP_M)[:-1]]

        first = city.first_vertex
        vertices = Ragged.ranges(first[roads.flat], first[roads.flat + 1] - first[roads.flat])
        vertex = vertices.flat
        axis_m = city.vertex_m[vertex] + (road_start_m + base_m[roads.row])[vertices.row]
        return cls(roads, road_start_m, road_length_m, length_m, city.xy_m[vertex], axis_m, base_m)

    def place(self, row: NDArray[np.int64], along_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the places `along_m` metres from the start of the routes `row`, [N, 2] metres; ends are clipped."""
        segment, share = self._segment(row, along_m)
        start, end = self.xy_m[segment], self.xy_m[segment + 1]
        return start + share[:, None] * (end - start)

    def direction(self, row: NDArray[np.int64], along_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the direction of travel there as unit vectors (east, north), [N, 2]."""
        segment, _ = self._segment(row, along_m)
        step = self.xy_m[segment + 1] - self.xy_m[segment]
        return step / np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]

    def road_at(self, row: NDArray[np.int64], along_m: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the place in its route (0 for the first road) of the road that lies there, [N]."""
        starts, first = self.road_start_m + self.base_m[self.roads.row], self.roads.first
        clipped = np.clip(along_m, 0.0, self.length_m[row])
        found = np.searchsorted(starts, self.base_m[row] + clipped, side="right") - 1
        return np.clip(found, first[row], first[row + 1] - 1) - first[row]

    def _segment(
        self, row: NDArray[np.int64], along_m: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the vertex before each place, on a segment that has a length, and the share of the segment driven."""
        wanted = self.base_m[row] + np.clip(along_m, 0.0, self.length_m[row])
        # at the very start of a route the vertex itself, elsewhere the last vertex strictly before the place
        left = np.searchsorted(self.axis_m, wanted, side="left") - 1
        at_start = np.searchsorted(self.axis_m, self.base_m[row], side="right") - 1
        segment = np.maximum(left, at_start)
        length = self.axis_m[segment + 1] - self.axis_m[segment]
        return segment, np.clip((wanted - self.axis_m[segment]) / np.maximum(length, 1e-9), 0.0, 1.0)


def check_roads(city: City, routes: Sequence[NDArray[np.int32]]) -> None:
    """Raise `InputError` where a route is empty or drives a road that the city does not have."""
    roads = Ragged.of(routes, np.int64)
    bad = (roads.min(-1) < 0) | (roads.max(-1) >= len(city))
    if bad.any():
        raise InputError(
            f"route {int(np.argmax(bad))} is empty or drives roads that {city.name} does not have, whose {len(city)} "
            "count from 0; are these trips of another city? Prepare them for this one."
        )


def lines_through(xy: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return a LineString for every `counts` consecutive coordinates of `xy` [N, 2], rounded to 1e-6 degrees: 0.1 m."""
    return np.asarray(shapely.linestrings(xy.round(6), indices=np.repeat(np.arange(len(counts)), counts)))
