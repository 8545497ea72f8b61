"""Measure trips by the roads that their own tables name, without map matching: quick enough to look at.

Prepared and generated trips carry their route and where on it each point lies. A metric that is to be reported matches
all trips anew (`htp.evaluate.measure`); the table of paths that takes is 13 s of work for La Serena–Coquimbo.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import KDTree

from htp.city.linear_referencing import RouteLines
from htp.compute.ragged import Ragged
from htp.evaluate.checked_trips import CheckedTrips, nothing_in
from htp.evaluate.measure import UNMATCHED, Measures, Surveyor, junctions, street_segments

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city import City


class AlignedSurveyor(Surveyor):
    """Measures tables of trips that carry `roads` and `percent`."""

    def __init__(self, city: City) -> None:
        """Build the index of the roads' segments; there is no matcher."""
        self.city = city
        self.roads = shapely.STRtree(street_segments(city))
        self.junctions = KDTree(junctions(city))

    def measure_trips(self, trips: gpd.GeoDataFrame) -> Measures:
        """Measure trips; `InputError` where there are none, or one is no line or lies nowhere near the city."""
        if not len(trips):
            raise nothing_in(trips)
        return replace(self.measure(CheckedTrips.of(trips, self.city)), road=aligned_roads(trips, self.city))

    def _roads_of(self, lines: list[NDArray[np.float64]]) -> NDArray[np.int32]:
        return np.full(sum(map(len, lines)), UNMATCHED, dtype=np.int32)  # until the table has been asked


def aligned_roads(trips: gpd.GeoDataFrame, city: City) -> NDArray[np.int32]:
    """Return the road_id that each point of prepared or generated trips is aligned to, [N]."""
    routes = RouteLines.of(city, trips["roads"].to_list())
    percent = Ragged.of(trips["percent"], float)
    place = routes.road_at(percent.row, percent.flat * routes.length_m[percent.row])
    return routes.roads.flat[routes.roads.first[percent.row] + place]
