"""Measure from the outputs of simulated days what is claimed of them: slow peaks, queues, few teleports.

Travel times by road and hour, speeds and standing by hour are those of all vehicles; steps and lengths those of trips.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import shapely

from htp.recording import REFERENCE_S
from htp.simulate.network import TERTIARY, road_rank
from htp.simulate.run import HOUR_S

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.simulate.record import Record
    from htp.simulate.run import DayFolder

BUSIEST = 100
STANDING_MS = 0.5  # a vehicle that is slower stands
STANDING_M = 5.0  # and so does a trip in a step that is shorter than this in REFERENCE_S
PEAK_HOUR, NIGHT_HOUR = 8, 23


def check_day(city: City, day: DayFolder, record: Record) -> dict[str, Any]:
    """Return the figures of a simulated day by name, ready for JSON.

    `peak_ratio`: over the hundred busiest arterial roads, the median of the travel time at 08:00 over that at 23:00.
    """
    statistics = ET.parse(day.statistics).getroot()  # noqa: S314  SUMO's own output
    inserted = int(statistics.find("vehicles").attrib["inserted"])  # type: ignore[union-attr]
    teleports = int(statistics.find("teleports").attrib["total"])  # type: ignore[union-attr]
    busiest = busiest_arterials(city, day.roads)
    relative = relative_times(travel_times(day.roads, len(city)), busiest)
    return {
        "vehicles": inserted,
        "teleports": teleports,
        "teleport_share": round(teleports / max(inserted, 1), 5),
        "busiest_arterials": len(busiest),
        "peak_ratio": _rounded(relative[PEAK_HOUR]),
        "travel_time_by_hour": [_rounded(x) for x in relative],
        **_by_hour(record),
    }


def check_trips(city: City, trips: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return how many raw trips there are, their number of points, their steps and distance from the nearest road."""
    counts = shapely.get_num_coordinates(trips.geometry.to_numpy())
    sample = trips.geometry.iloc[:: max(len(trips) // 1000, 1)].to_numpy()
    xy_m = city.to_metres(shapely.get_coordinates(sample))
    lines = city.roads.geometry.to_crs(city.crs).to_numpy()
    _, distance_m = shapely.STRtree(lines).query_nearest(shapely.points(xy_m), return_distance=True, all_matches=False)
    lengths = np.percentile(counts, [5, 25, 50, 75, 95]).round().astype(int).tolist()
    return {
        "trips": len(trips),
        "points": int(counts.sum()),
        "mean_points": _rounded(counts.mean()),
        "points_percentiles": dict(zip(("5", "25", "50", "75", "95"), lengths, strict=True)),
        **step_figures(city, trips),
        "road_distance_m": {q: _rounded(np.percentile(distance_m, int(q))) for q in ("50", "90", "99")},
    }


def step_figures(city: City, trips: gpd.GeoDataFrame) -> dict[str, float | None]:
    """Return the mean and spread of the steps in metres in 15 s, the share that stands, and how a speed lasts.

    `speed_autocorrelation` is that of one step's speed with the next one's.
    """
    lonlat, trip = shapely.get_coordinates(trips.geometry.to_numpy(), return_index=True)
    step_m = np.hypot(*np.diff(city.to_metres(lonlat), axis=0).T) * REFERENCE_S / float(trips["interval"].iloc[0])
    inside = trip[1:] == trip[:-1]
    follows = inside[1:] & inside[:-1]
    lasting = np.corrcoef(step_m[:-1][follows], step_m[1:][follows])[0, 1]
    step_m = step_m[inside]
    return {
        "step_m": _rounded(step_m.mean()),
        "step_spread_m": _rounded(step_m.std()),
        "standing_share": _rounded(np.mean(step_m < STANDING_M)),
        "speed_autocorrelation": _rounded(lasting),
    }


def travel_times(roads: Path, count: int) -> NDArray[np.float64]:
    """Return the mean travel time of each road in each hour, NaN where nobody drove, [V, 24] seconds."""
    return _table(roads, count, "edge_traveltime", np.nan)


def busiest_arterials(city: City, roads: Path) -> NDArray[np.int64]:
    """Return the arterial roads that most vehicles leave in the day, busiest first."""
    passed = _table(roads, len(city), "edge_left", 0.0).sum(axis=1)
    arterial = np.flatnonzero(road_rank(city) <= TERTIARY)
    return arterial[np.argsort(-passed[arterial], kind="stable")][:BUSIEST]


def relative_times(times_s: NDArray[np.float64], roads: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return for each hour the median over the roads of the travel time over that at 23:00, [24]."""
    ratio = times_s[roads] / times_s[roads, NIGHT_HOUR, None]
    return np.array([np.median(hour[~np.isnan(hour)]) if not np.isnan(hour).all() else np.nan for hour in ratio.T])


def _table(roads: Path, count: int, column: str, missing: float) -> NDArray[np.float64]:
    rows = pd.read_parquet(roads, columns=["interval_begin", "edge_id", column])
    rows = rows[rows["edge_id"].notna()]  # an hour without traffic is a row without a road
    hour = (rows["interval_begin"].astype(float) // HOUR_S).to_numpy(dtype=np.int64)
    road = rows["edge_id"].astype(np.int64).to_numpy()
    table = np.full((count, 24), missing)
    inside = hour < 24
    table[road[inside], hour[inside]] = rows[column].to_numpy(dtype=float)[inside]
    return table


def _by_hour(record: Record) -> dict[str, list[float | None]]:
    """Return the mean speed of the vehicles and the share of them standing, hour by hour."""
    hour = record.time_s // HOUR_S
    speed = pd.Series(record.speed_ms).groupby(hour).mean().reindex(range(24))
    standing = pd.Series(record.speed_ms < STANDING_MS).groupby(hour).mean().reindex(range(24))
    return {
        "speed_ms_by_hour": [_rounded(x) for x in speed],
        "standing_share_by_hour": [_rounded(x) for x in standing],
    }


def _rounded(number: float) -> float | None:
    """Round for the report; JSON knows no NaN."""
    return None if np.isnan(number) else round(float(number), 3)
