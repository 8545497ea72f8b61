"""Follow one trip along its route: how fast it is where, beside the speed limits of the roads it drives.

Works on prepared and generated trips alike; knows nothing about models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htp.evaluate.profile import Profile

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city import City


@dataclass(frozen=True)
class Course:
    """T points of a trip along its R roads; places are metres driven since the first point."""

    along_m: NDArray[np.float64]  # [T]
    elapsed_s: NDArray[np.float64]  # [T] since the first point
    speed_kmh: NDArray[np.float64]  # [T] towards the next point
    edges_m: NDArray[np.float64]  # [R + 1] where each road begins and the last ends, cut to what is driven
    limit_kmh: NDArray[np.float64]  # [R]
    names: tuple[str | None, ...]  # [R] of the streets

    @classmethod
    def of(cls, trips: gpd.GeoDataFrame, city: City, row: int) -> Course:
        """Follow the trip of a row of prepared or generated trips (`roads`, `percent`, `interval`, `geometry`)."""
        own = Profile.of(trips.iloc[[row]], city)
        roads = np.asarray(trips["roads"].iloc[row], dtype=np.int64)
        edges_m = np.r_[0.0, np.cumsum(city.length_m[roads])]
        edges_m -= float(trips["percent"].iloc[row][0]) * edges_m[-1]
        names = city.roads["name"].iloc[roads]
        return cls(
            along_m=own.along_m,
            elapsed_s=own.elapsed_s,
            speed_kmh=own.speed_kmh,
            edges_m=np.clip(edges_m, 0.0, own.along_m[-1]),
            limit_kmh=city.roads["speed_kmh"].to_numpy(dtype=float)[roads],
            names=tuple(name if isinstance(name, str) else None for name in names),
        )

    def at_m(self, elapsed_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where the trip is at times since its first point."""
        return np.interp(elapsed_s, self.elapsed_s, self.along_m)
