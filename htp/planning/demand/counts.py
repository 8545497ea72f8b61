"""Sum a day's trips up by hour and place, part by part: what is kept grows with the city and hardly with the trips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from htp.city.grid import cells_of
from htp.evaluate.density import Density
from htp.evaluate.profile import Profile
from htp.planning.demand.day import HOURS
from htp.trips import point_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city import City


@dataclass(frozen=True)
class Counts:
    """Departures by hour, points by cell and hour, and the size of each of B trips."""

    trips: NDArray[np.int64]  # [24] departures
    cell: NDArray[np.int64]  # [K] see htp.city.grid; cell and hour together are in order and unique
    hour: NDArray[np.int64]  # [K] hour of the day by the city's clocks
    points: NDArray[np.int64]  # [K] GPS points
    distance_m: NDArray[np.float32]  # [B]
    duration_s: NDArray[np.float32]  # [B]

    @classmethod
    def of(cls, trips: gpd.GeoDataFrame, city: City) -> Counts:
        """Count generated trips."""
        lonlat, row = shapely.get_coordinates(trips.geometry.to_numpy(), return_index=True)
        keys = np.column_stack([cells_of(city.to_metres(lonlat)), point_times(trips, row).hour])
        pairs, points = np.unique(keys, axis=0, return_counts=True)
        profile = Profile.of(trips, city)
        return cls(
            np.bincount(pd.DatetimeIndex(trips["start_time"]).hour, minlength=HOURS),
            pairs[:, 0],
            pairs[:, 1],
            points,
            profile.distance_m.astype(np.float32),
            profile.duration_s.astype(np.float32),
        )

    @classmethod
    def join(cls, parts: Sequence[Counts]) -> Counts:
        """Add parts up."""
        keys = np.concatenate([np.column_stack([part.cell, part.hour]) for part in parts])
        pairs, at = np.unique(keys, axis=0, return_inverse=True)
        points = np.bincount(at.ravel(), weights=np.concatenate([part.points for part in parts])).astype(np.int64)
        return cls(
            np.sum([part.trips for part in parts], axis=0),
            pairs[:, 0],
            pairs[:, 1],
            points,
            np.concatenate([part.distance_m for part in parts]),
            np.concatenate([part.duration_s for part in parts]),
        )

    def density(self, hours: tuple[int, int]) -> Density:
        """Return the points on cells in some hours (the first up to, without, the second) beside the whole day's."""
        cells, at = np.unique(self.cell, return_inverse=True)
        chosen = np.where((self.hour >= hours[0]) & (self.hour < hours[1]), self.points, 0)
        now, all_day = (
            np.bincount(at, weights=w, minlength=len(cells)).astype(np.int64) for w in (chosen, self.points)
        )
        some = now > 0
        return Density(cells[some], now[some], all_day[some])
