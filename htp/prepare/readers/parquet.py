"""Read trips from GeoParquet in the layout of the design: a row a trip with start time, interval and line of points."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from htp.compute.ragged import Ragged
from htp.prepare.rawtrips import RawTrips
from htp.trips import count_trips, iter_trips

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import geopandas as gpd

    from htp.prepare.rawtrips import Chunk

TRIPS_A_CHUNK = 2000


@dataclass
class ParquetSource:
    """A GeoParquet file of trips, or a folder of parts."""

    path: Path
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Trips of all parts."""
        return count_trips(self.path)

    def chunks(self) -> Iterator[Chunk]:
        """Yield some trips at a time."""
        for trips in iter_trips(self.path, TRIPS_A_CHUNK):
            yield ParquetChunk(trips, len(trips))


@dataclass(frozen=True)
class ParquetChunk:
    """Some rows of the table."""

    trips: gpd.GeoDataFrame
    size: int

    def parse(self) -> RawTrips:
        """Return the trips; rows without an id, a start, an interval or a line of points are dropped."""
        lines = self.trips.geometry.to_numpy()
        interval_s = pd.to_numeric(self.trips["interval"], errors="coerce").to_numpy(dtype=float)
        good = (shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING) & ~shapely.is_empty(lines)
        good &= (interval_s > 0) & np.isfinite(interval_s)
        good &= (self.trips["start_time"].notna() & self.trips["trip_id"].notna()).to_numpy()
        trips = self.trips[good]
        lonlat, row = shapely.get_coordinates(trips.geometry.to_numpy(), return_index=True)
        count = np.bincount(row, minlength=len(trips))
        start_s = pd.DatetimeIndex(trips["start_time"]).as_unit("us").asi8 / 1e6
        time_s = start_s[row] + Ragged.from_counts(row, count).place * interval_s[good][row]
        dropped = Counter({"broken_row": int((~good).sum())}) if not good.all() else Counter()
        return RawTrips([str(trip_id) for trip_id in trips["trip_id"]], count, lonlat, time_s, dropped)
