"""Write trips as GeoJSON features, one a line where they are streamed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd

GEOJSON, NDJSON = "application/geo+json", "application/x-ndjson"
DEGREES = 7  # decimals, about a centimetre


def features(trips: gpd.GeoDataFrame) -> Iterator[dict[str, Any]]:
    """Yield a GeoJSON feature a trip, its other columns as properties, times in ISO 8601 with their offset."""
    columns = trips.columns.drop("geometry").tolist()
    for row, line in zip(trips[columns].to_dict("records"), trips.geometry, strict=True):
        lonlat = shapely.get_coordinates(line).round(DEGREES).tolist()
        properties = {name: _plain(row[name]) for name in columns}
        yield {"type": "Feature", "geometry": {"type": "LineString", "coordinates": lonlat}, "properties": properties}


def lines(trips: gpd.GeoDataFrame) -> bytes:
    """Return newline-delimited GeoJSON: a feature a line."""
    return b"".join(_text(feature) + b"\n" for feature in features(trips))


def collection(pieces: list[gpd.GeoDataFrame]) -> bytes:
    """Return a GeoJSON FeatureCollection of all trips."""
    found = [feature for trips in pieces for feature in features(trips)]
    return _text({"type": "FeatureCollection", "features": found})


def _text(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _plain(value: Any) -> Any:
    """Return a value of a table as JSON has it; float32 with as few digits as tell it from its neighbours."""
    if isinstance(value, str):
        return value
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    array = np.asarray(value)
    if array.dtype == np.float32:
        return array.astype(str).astype(float).tolist()
    return array.tolist()
