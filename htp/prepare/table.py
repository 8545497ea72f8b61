"""Read a file of trips in any format that trips are written in as a table to be measured, without matching it.

GeoParquet and GeoJSON carry a table as it is. CSV and GPX carry points with times: each trip is brought to an interval
of its own, the median of its steps. Only what is no trip at all is left out, and counted: to leave out as well what
preparation drops (jumps, points out of town) would hide what a measurement is to find.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from htp.compute.ragged import Ragged
from htp.errors import InputError
from htp.prepare.clean import resample
from htp.prepare.drives import in_order
from htp.prepare.readers.times import ZONED
from htp.prepare.sources import open_sources
from htp.trips import COLUMNS, LIST_COLUMNS, of_any_trips, read_trips
from htp.unpacked import read_document

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.prepare.rawtrips import RawTrips

READABLE = (".parquet", ".geojson", ".json", ".csv", ".gpx")
MAX_TRIPS = 20_000  # ours: of one file that is held in memory
MAX_POINTS = 10_000  # ours: of one trip; more come of a time that is wrong by years
MIN_INTERVAL_S = 0.5  # ours: points closer in time are no drive's


@dataclass(frozen=True)
class TripTable:
    """The trips of a file, and what was left out."""

    trips: gpd.GeoDataFrame
    dropped: Counter[str]  # reason to trips


def read_table(path: Path, city: City) -> TripTable:
    """Read trips; `InputError` says in a sentence what is wrong with the file."""
    kind = path.suffix.lower()
    if kind not in READABLE:
        raise InputError(f"{path.name}: trips are read from {', '.join(READABLE)}; convert the file first.")
    if kind == ".parquet":
        table = TripTable(_known(read_trips(path)), Counter())
    elif kind in (".geojson", ".json"):
        table = TripTable(_from_geojson(path), Counter())
    else:
        table = _from_points(path, city)
    count = len(table.trips)
    if not 0 < count <= MAX_TRIPS:
        left_out = f" (left out: {said(table.dropped)})" if table.dropped else ""
        raise InputError(f"{path.name}: holds {count:,} trips{left_out}; give a file of 1 to {MAX_TRIPS:,}.")
    return table


def said(dropped: Counter[str]) -> str:
    """Return counts by reason in words: `out of town 2, jump 1`."""
    return ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in dropped.most_common())


def _known(trips: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return trips without columns that mean nothing here, their ids as text."""
    return of_any_trips(trips).assign(trip_id=trips["trip_id"].astype(str))


def _from_points(path: Path, city: City) -> TripTable:
    [source] = open_sources([path], {}, city.timezone)
    frames, dropped = [], Counter[str]()
    for chunk in source.chunks():
        raw, interval_s = _at_own_interval(chunk.parse())
        dropped += raw.dropped
        if len(raw):
            frames.append(_frame(raw, interval_s, city.timezone))
        if sum(map(len, frames)) > MAX_TRIPS:
            raise InputError(f"{path.name}: holds more than {MAX_TRIPS:,} trips; give a part of them.")
    trips = pd.concat(frames, ignore_index=True) if frames else gpd.GeoDataFrame(columns=list(COLUMNS))
    return TripTable(gpd.GeoDataFrame(trips), dropped)


def _at_own_interval(raw: RawTrips) -> tuple[RawTrips, NDArray[np.float64]]:
    """Resample each trip at the median of its steps, [B]; leave out and count those that give none."""
    raw = in_order(raw)
    raw = raw.drop(raw.count < 2, "single_point")
    step_s = np.diff(raw.time_s, prepend=np.nan)
    step_s[raw.first[:-1]] = np.nan  # from one trip to the next
    steps = Ragged(step_s, raw.first).split()
    interval_s = np.array([np.median(step[1:]) for step in steps])
    span_s = np.array([step[1:].sum() for step in steps])
    steady = [np.isfinite(step[1:]).all() and (step[1:] >= 0).all() for step in steps]
    good = np.array(steady, dtype=bool) & (interval_s >= MIN_INTERVAL_S)
    good[good] &= span_s[good] / interval_s[good] < MAX_POINTS
    return resample(raw.drop(~good, "broken_times"), interval_s[good]), interval_s[good]


def _frame(raw: RawTrips, interval_s: NDArray[np.float64], timezone: str) -> gpd.GeoDataFrame:
    start_us = np.round(raw.time_s[raw.first[:-1]] * 1e6).astype(np.int64)
    columns = {
        "trip_id": raw.trip_id,
        "start_time": pd.DatetimeIndex(start_us.view("datetime64[us]"), tz="UTC").tz_convert(timezone),
        "interval": interval_s.astype(np.float32),
    }
    return gpd.GeoDataFrame(columns, geometry=shapely.linestrings(raw.lonlat, indices=raw.row), crs=4326)


def _from_geojson(path: Path) -> gpd.GeoDataFrame:
    """Read a FeatureCollection of lines as `htp.trips.to_geojson` writes it."""
    try:
        features = json.loads(read_document(path, "give a part of them, or GeoParquet"))["features"]
        rows = [feature["properties"] for feature in features]
        lines = [_line(feature) for feature in features]
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError, shapely.errors.GEOSException) as error:
        raise InputError(f"{path.name}: is no GeoJSON FeatureCollection of lines; write the trips again.") from error
    plain = pd.DataFrame(rows)
    missing = [name for name in COLUMNS if name not in plain and name != "geometry"]
    if missing:
        raise InputError(f"{path.name}: its features have no property {missing[0]!r}; trips have {', '.join(COLUMNS)}.")
    try:
        times = pd.to_datetime(plain["start_time"].where(plain["start_time"].str.contains(ZONED), "no zone"), utc=True)
        interval_s = plain["interval"].astype(np.float32)
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path.name}: a start_time is no time with its zone, or an interval no number; write the trips again."
        ) from error
    trips = pd.DataFrame({"trip_id": plain["trip_id"].astype(str), "start_time": times, "interval": interval_s})
    for name in LIST_COLUMNS.keys() & set(plain):
        if all(isinstance(values, list) for values in plain[name]):
            trips[name] = pd.Series([np.asarray(values) for values in plain[name]], dtype=object)
    return gpd.GeoDataFrame(trips, geometry=lines, crs="EPSG:4326")


def _line(feature: dict[str, Any]) -> shapely.LineString:
    geometry = feature["geometry"]
    if geometry["type"] != "LineString":
        raise ValueError(geometry["type"])
    return shapely.LineString(np.asarray(geometry["coordinates"], dtype=float)[:, :2])
