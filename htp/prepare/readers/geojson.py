"""Read trips from GeoJSON, a collection or a feature a line: lines with times of their points, or points with a time.

The times of a line stand in `times`, `coordTimes` or `timestamps` of its properties (or of `coordinateProperties`
there), or as a fourth number of every coordinate (Unix time), or follow from `start_time` and `interval`, as HTP writes
them. Points are put together by their trip's id, as in a CSV of points.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from htp.errors import InputError
from htp.prepare.options import ROLES, Hints
from htp.prepare.rawtrips import RawTrips
from htp.prepare.readers.columns import GUESSES
from htp.prepare.readers.points_csv import PointsChunk, Reading
from htp.prepare.readers.projection import to_lonlat
from htp.prepare.readers.times import DateOrder, parse_times
from htp.unpacked import read_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.prepare.rawtrips import Chunk

TRIPS_A_CHUNK = 2000
TIMES = ("times", "coordTimes", "timestamps", "datetimes")


@dataclass
class GeoJsonSource:
    """A GeoJSON file of trips."""

    path: Path
    columns: Mapping[str, str]  # role -> property, as far as the user named them
    timezone: str  # of times that carry none
    hints: Hints = field(default_factory=Hints)
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    def chunks(self) -> Iterator[Chunk]:
        """Yield some trips at a time; points all at once."""
        features, crs = read_features(self.path)
        crs = self.hints.crs or crs
        kinds = {(feature.get("geometry") or {}).get("type") for feature in features}
        if kinds == {"Point"}:
            yield self._points(features, crs)
            return
        for start in range(0, len(features), TRIPS_A_CHUNK):
            some = tuple(features[start : start + TRIPS_A_CHUNK])
            share = round(len(some) / len(features) * self.size)
            yield GeoJsonChunk(some, start, Reading(self.timezone, self.hints.first_day, crs), self.columns, share)

    def _points(self, features: Sequence[dict[str, Any]], crs: str | None) -> PointsChunk:
        """Return features that are points as the table that a CSV of points is read as."""
        known = [feature.get("properties") or {} for feature in features]
        roles = {role: self.columns.get(role) or _property(known[0], role) for role in ("trip_id", "time")}
        for role, name in roles.items():
            if name is None:
                raise InputError(
                    f"{self.path}: no property of its points looks like {role}; name it, as in --column {role}=NAME."
                )
        xy = [[*map(str, (feature["geometry"].get("coordinates") or ["", ""])[:2])] for feature in features]
        cells = {role: [str(one.get(name, "")) for one in known] for role, name in roles.items()}
        cells |= {"lon": [one[0] for one in xy], "lat": [one[-1] for one in xy]}
        table = pa.table({role: cells[role] for role in ROLES})
        order = DateOrder()
        order.add(table["time"])
        day_first = order.decide(f"{self.path}", said=self.hints.day_first)
        return PointsChunk(table, Reading(self.timezone, self.hints.first_day, crs, day_first), self.size)


def read_features(path: Path) -> tuple[list[dict[str, Any]], str | None]:
    """Return the features of a GeoJSON file and its reference system, None for degrees in WGS 84."""
    content = read_document(path, "split it, or give the trips as GeoParquet")
    try:
        text = content.decode("utf-8-sig")
        try:
            found = json.loads(text)
        except ValueError:
            if not text.strip():
                raise
            found = {"features": [json.loads(line.strip("\x1e ")) for line in text.splitlines() if line.strip("\x1e ")]}
        features = found.get("features", [found])
        crs = ((found.get("crs") or {}).get("properties") or {}).get("name")
        good = isinstance(features, list) and all(isinstance(one, dict) and "geometry" in one for one in features)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        good = False
    if not good:
        raise InputError(f"{path}: is no GeoJSON FeatureCollection of lines or points; write the trips again.")
    return features, None if crs is None or "CRS84" in crs or crs.endswith("4326") else crs


@dataclass(frozen=True)
class GeoJsonChunk:
    """Some features."""

    features: tuple[dict[str, Any], ...]
    first: int  # place of the first feature in the file
    reading: Reading
    columns: Mapping[str, str]
    size: int

    def parse(self) -> RawTrips:
        """Return the trips; features that are no line with times are counted by reason."""
        ids: list[str] = []
        points: list[NDArray[np.float64]] = []
        dropped: Counter[str] = Counter()
        examples: dict[str, str] = {}
        for number, feature in enumerate(self.features, self.first):
            known = feature.get("properties") or {}
            name = self.columns.get("trip_id") or _property(known, "trip_id")
            label = str(known[name] if name in known else feature.get("id", known.get("name", number)))
            reason, trip = self._trip(feature.get("geometry"), known)
            if trip is None:
                dropped[reason] += 1
                examples.setdefault(reason, f"trip {label}")
            else:
                ids.append(label)
                points.append(trip)
        return RawTrips.of(ids, points, dropped, examples)

    def _trip(self, geometry: Any, known: Mapping[str, Any]) -> tuple[str, NDArray[np.float64] | None]:
        """Return why a feature is no trip, or its lon, lat and Unix seconds [T, 3]."""
        try:
            lines = geometry["coordinates"]
            lines = [lines] if geometry["type"] == "LineString" else lines
            if geometry["type"] not in ("LineString", "MultiLineString"):
                return "broken_row", None
            coordinates = [point for line in lines for point in line]
            xy = np.array([point[:2] for point in coordinates], dtype=np.float64).reshape(-1, 2)
        except (KeyError, TypeError, ValueError, IndexError, OverflowError):
            return "broken_row", None
        if len(xy) == 0:
            return "no_points", None
        time_s = self._times(known, coordinates)
        if time_s is None:
            return "no_time", None
        if len(time_s) != len(xy):
            return "broken_row", None
        return "", np.column_stack([to_lonlat(xy, self.reading.crs), time_s])

    def _times(self, known: Mapping[str, Any], coordinates: list[Any]) -> NDArray[np.float64] | None:
        places = (known, known.get("coordinateProperties") or {})
        listed = next((place[name] for place in places for name in TIMES if isinstance(place.get(name), list)), None)
        if listed is None and all(len(point) > 3 for point in coordinates):
            listed = [point[3] for point in coordinates]
        how = self.reading
        if listed is not None:
            flat = [t for part in listed for t in (part if isinstance(part, list) else [part])]
            return parse_times(pd.Series(flat, dtype=object).astype(str), how.timezone, first_day=how.first_day)
        try:
            start = parse_times(pd.Series([str(known["start_time"])]), how.timezone)[0]
            return np.asarray(start + float(known["interval"]) * np.arange(len(coordinates)))
        except (KeyError, TypeError, ValueError):
            return None


def _property(known: Mapping[str, Any], role: str) -> str | None:
    """Return the property that looks like a role."""
    plain = {str(name).lower(): str(name) for name in reversed(list(known))}
    return next((plain[guess] for guess in GUESSES[role] if guess in plain), None)
