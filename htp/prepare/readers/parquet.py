"""Read trips from GeoParquet in the layout of the design: a row a trip with start time, interval and line of points."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from htp.compute.ragged import Ragged
from htp.prepare.options import Hints
from htp.prepare.rawtrips import RawTrips
from htp.prepare.readers.projection import to_lonlat
from htp.trips import count_trips, has_crs, iter_trips

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.prepare.rawtrips import Chunk

TRIPS_A_CHUNK = 2000


@dataclass
class ParquetSource:
    """A GeoParquet file of trips, or a folder of parts."""

    path: Path
    hints: Hints = field(default_factory=Hints)
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Trips of all parts."""
        return count_trips(self.path)

    def chunks(self) -> Iterator[Chunk]:
        """Yield some trips at a time."""
        crs = None if has_crs(self.path) else self.hints.crs
        if crs is None and not self.notes and not has_crs(self.path):
            self.notes.append(f"{self.path.name}: says no reference system; took its coordinates for degrees.")
        for trips in iter_trips(self.path, TRIPS_A_CHUNK, plain=True):
            yield ParquetChunk(trips, len(trips), crs)


@dataclass(frozen=True)
class ParquetChunk:
    """Some rows of the table."""

    trips: gpd.GeoDataFrame
    size: int
    crs: str | None = None  # where the file does not say it

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
        names = [str(trip_id) for trip_id in trips["trip_id"]]
        raw = RawTrips(names, count, to_lonlat(lonlat, self.crs), time_s)
        if good.all():
            return raw
        dropped = Counter(broken_row=int((~good).sum()))
        return replace(raw, dropped=dropped, examples=self._shown(good))

    def _shown(self, good: NDArray[np.bool_]) -> dict[str, str]:
        row = self.trips.iloc[int(np.argmin(good))]
        kind = row.geometry.geom_type if row.geometry is not None else "nothing"
        text = f"trip {row['trip_id']}: start_time {row['start_time']}, interval {row['interval']}, geometry {kind}"
        return {"broken_row": text}
