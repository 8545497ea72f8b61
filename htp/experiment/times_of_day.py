"""Ask for one route at three times of day (Figure 11(b), paper §5.4).

The travel time at each is the median that the travel-time model says (paper A.1), so a slow hour has more points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from htp.city.linear_referencing import RouteLines, lines_through
from htp.recording import MAX_POINTS, MIN_POINTS
from htp.travel_time.model import TravelTimeModel
from htp.trips import Route, point_count

if TYPE_CHECKING:
    from htp.experiment.data import Data

HOURS = (8, 13, 23)  # morning peak, midday, night; ours
LEARNED_FROM = 5000  # trips that travel times are learned from: a few seconds


def times_of_day(data: Data) -> gpd.GeoDataFrame:
    """Return prepared trips to be asked for: the held-out trip of median distance, on its day, at each of HOURS."""
    trip = _median_trip(data)
    city, roads = data.city, np.asarray(trip["roads"], dtype=np.int32)
    midnight = pd.Timestamp(trip["start_time"]).tz_convert(city.timezone).normalize()
    departs = [midnight + pd.Timedelta(hours=hour) for hour in HOURS]
    model = TravelTimeModel.fit(data.train.iloc[:LEARNED_FROM], city)
    duration_s = model.draw(city, [Route(roads)] * len(HOURS), departs, np.full(len(HOURS), 0.5))
    counts = [int(np.clip(point_count(s, trip["interval"]), MIN_POINTS, MAX_POINTS)) for s in duration_s]
    ends = float(trip["percent"][0]), float(trip["percent"][-1])
    percent = [np.linspace(*ends, count).astype(np.float32) for count in counts]
    lines = RouteLines.of(city, [roads] * len(HOURS))
    row = np.repeat(np.arange(len(HOURS)), counts)
    placed_m = lines.place(row, np.concatenate(percent).astype(np.float64) * lines.length_m[row])
    columns = {
        "trip_id": [f"{hour:02d}:00" for hour in HOURS],
        "start_time": pd.DatetimeIndex(departs),
        "interval": np.full(len(HOURS), trip["interval"], dtype=np.float32),
        "roads": [roads] * len(HOURS),
        "percent": percent,
        "offset": [np.zeros(2 * count, dtype=np.float32) for count in counts],
    }
    points = lines_through(city.to_lonlat(placed_m), np.array(counts))
    return gpd.GeoDataFrame(columns, geometry=points, crs="EPSG:4326")


def _median_trip(data: Data) -> pd.Series:
    """Return the held-out trip whose route is of median length; of two middle ones the shorter."""
    length_m = np.array([data.city.length_m[np.asarray(roads)].sum() for roads in data.heldout["roads"]])
    order = np.argsort(length_m, kind="stable")
    return data.heldout.iloc[int(order[(len(order) - 1) // 2])]
