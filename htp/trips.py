"""Define the nouns shared by every stage: trips, conditions, patterns, and how trips are read and written.

Shape letters used in docstrings and comments everywhere: B trips in a batch, T points of a trip, P = ceil(T/8)
patterns, R roads of a route, L codebook layers, D channels, V roads of the city.

A table of trips is a GeoDataFrame in EPSG:4326, longitude first: `trip_id`, `start_time` (time zone of the city),
`interval` (seconds), `roads` (list of road_id), `geometry` (LineString of T points); prepared trips also carry
`percent` (T) and `offset` (2T, metres east and north, interleaved); generated ones `length_token` and `patterns` (4P).
"""

from __future__ import annotations

import json
import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from htp.errors import InputError
from htp.files import plain_cell, replacing
from htp.geoparquet import LineColumn, checked_lists
from htp.unpacked import most_held

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo

    from numpy.typing import NDArray

POINTS_PER_PATTERN = 8  # three halvings, paper §4.1
COLUMNS = ("trip_id", "start_time", "interval", "geometry")  # of every table of trips
PREPARED = ("trip_id", "start_time", "interval", "roads", "percent", "offset", "geometry")  # of prepared trips
LIST_COLUMNS = {
    "roads": pa.int32(),
    "percent": pa.float32(),
    "offset": pa.float32(),
    "patterns": pa.int16(),
    "anchors": pa.int16(),  # place in the route of the road each pattern ends on
}
PARQUET: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 9,
    "use_dictionary": False,  # points repeat nothing
    "use_byte_stream_split": ["percent.list.element", "offset.list.element"],  # their high bytes are alike
}
PERCENT_STEP, OFFSET_STEP_M = 2.0**-20, 2.0**-6  # a centimetre: what `compact` keeps
WRITABLE = (".parquet", ".geojson", ".gpx", ".csv")
BYTES_A_VALUE = 8  # once it is read; in a Parquet file repeated values take next to nothing
UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


@dataclass(frozen=True)
class Route:
    """A connected sequence of roads, and where on its first and last road the drive begins and ends."""

    roads: NDArray[np.int32]  # [R] road_id
    start_m: float = 0.0  # metres from the start of the first road
    end_m: float | None = None  # metres from the start of the last road; None: to its end


@dataclass(frozen=True)
class Conditions:
    """What a trip is generated for (paper A.1); what is None is filled in by the generator."""

    route: Route
    depart: pd.Timestamp | str  # local time such as 2024-05-06 08:15, or a time with its zone
    duration_s: float | None = None  # None: drawn from the travel-time model
    distance_m: float | None = None  # along the route, first to last point; None: from the route
    interval_s: float | None = None  # between two points; None: that of the data the generator learned from


def read_trips(path: Path | str, columns: list[str] | None = None) -> gpd.GeoDataFrame:
    """Read a table of trips from a GeoParquet file or a folder of parts; `InputError` names what is wrong with it."""
    path = Path(path)
    frames = list(_in_one_zone(_read_part(part, columns) for part in _parts(path)))
    return frames[0] if len(frames) == 1 else gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=frames[0].crs)


def iter_trips(
    path: Path | str, rows: int = 4096, needs: Sequence[str] = (), *, plain: bool = False
) -> Iterator[gpd.GeoDataFrame]:
    """Yield a table of trips in pieces of at most `rows`, so that memory does not grow with the file.

    `plain` leaves every other column than those of any trip unread. `InputError` where a column of a table of trips, or
    one that it `needs` besides, is missing.
    """
    zone = None
    for part in _parts(Path(path)):
        file = open_parquet(part)
        lines = _check_columns(file, part, needs)
        names = [*COLUMNS[:3], lines.name] if plain else None
        frames = (_to_frame(table, part, lines) for table in _tables(file, rows, part, names))
        for frame in _in_one_zone(frames, zone):
            zone = frame["start_time"].dt.tz
            yield frame


def _in_one_zone(frames: Iterable[gpd.GeoDataFrame], zone: tzinfo | None = None) -> Iterator[gpd.GeoDataFrame]:
    """Yield tables of trips with all times by the clocks of that zone, or of the first one."""
    for frame in frames:
        if "start_time" in frame:
            zone = zone or frame["start_time"].dt.tz
            frame["start_time"] = frame["start_time"].dt.tz_convert(zone)
        yield frame


def of_any_trips(trips: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return trips without columns that mean nothing here; pieces of a table may disagree on what is in them."""
    return trips[[name for name in trips if name in (*COLUMNS, *LIST_COLUMNS, "length_token")]]


def count_trips(path: Path | str) -> int:
    """Count the trips of a file or folder of parts without reading them."""
    return sum(open_parquet(part).metadata.num_rows for part in _parts(Path(path)))


def has_crs(path: Path | str) -> bool:
    """Say whether every part of a table says in which reference system its lines lie."""
    files = [open_parquet(part) for part in _parts(Path(path))]
    return all(LineColumn.of(file.schema_arrow).crs is not None for file in files)


def write_trips(trips: gpd.GeoDataFrame, path: Path | str) -> None:
    """Write trips in the format of the file's ending; the file appears whole or not at all."""
    path = Path(path)
    check_ending(path)
    with replacing(path) as temporary:
        if path.suffix == ".parquet":
            pq.write_table(to_arrow(trips), temporary, **PARQUET)
        elif path.suffix == ".geojson":
            temporary.write_text(to_geojson(trips), encoding="utf-8")
        elif path.suffix == ".gpx":
            temporary.write_text(to_gpx(trips), encoding="utf-8")
        else:
            points_table(trips).to_csv(temporary, index=False)


def write_pieces(pieces: Iterator[gpd.GeoDataFrame], path: Path | str) -> int:
    """Write trips that come piece by piece, as `write_trips`; return their number.

    GeoParquet and CSV are written as they come, so that memory does not grow; the other formats are one document.
    """
    path, count = Path(path), 0
    check_ending(path)
    if path.suffix not in (".parquet", ".csv"):
        frames = [piece for piece in pieces if len(piece)]
        if not frames:
            raise _nothing_to(path)
        trips = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs="EPSG:4326")
        write_trips(trips, path)
        return len(trips)
    with replacing(path) as temporary, ExitStack() as stack:
        writer = None
        for piece in pieces:
            if path.suffix == ".csv":
                points_table(piece).to_csv(temporary, index=False, mode="a", header=count == 0)
            else:
                table = to_arrow(piece, with_bounds=False)
                writer = writer or stack.enter_context(pq.ParquetWriter(temporary, table.schema, **PARQUET))
                writer.write_table(_as_before(table, writer.schema))
            count += len(piece)
        if not count:
            raise _nothing_to(path)
        stack.close()
    return count


def _as_before(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a piece with its columns as in those before; `InputError` where it has others."""
    others = set(table.column_names) ^ set(schema.names)
    if others:
        raise InputError(
            f"the column {min(others)!r} is in some parts of the table alone; give parts that have the same columns."
        )
    return table.select(schema.names).cast(schema)


def compact(trips: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return prepared trips with labels rounded to a centimetre or so, which halves their file."""
    return trips.assign(
        percent=[np.round(np.asarray(p) / PERCENT_STEP) * PERCENT_STEP for p in trips["percent"]],
        offset=[np.round(np.asarray(o) / OFFSET_STEP_M) * OFFSET_STEP_M for o in trips["offset"]],
    )


def _nothing_to(path: Path) -> InputError:
    return InputError(f"{path}: not written, for there are no trips to write; give a table that holds some.")


def check_ending(path: Path) -> None:
    """Raise `InputError` where trips cannot be written under this name."""
    if path.suffix not in WRITABLE:
        raise InputError(f"{path}: trips can be written as {', '.join(WRITABLE)}; choose one of these endings.")


def to_arrow(trips: gpd.GeoDataFrame, *, with_bounds: bool = True) -> pa.Table:
    """Return trips as an Arrow table with GeoParquet 1.1 metadata and the column types of the design."""
    plain = pd.DataFrame(trips.drop(columns="geometry"))
    plain["geometry"] = shapely.to_wkb(trips.geometry.to_numpy())
    fields = []
    for column in plain.columns:
        if column in LIST_COLUMNS:
            fields.append(pa.field(column, pa.list_(LIST_COLUMNS[column])))
        elif column == "geometry":
            fields.append(pa.field(column, pa.binary()))
        elif column == "interval":
            fields.append(pa.field(column, pa.float32()))
        elif column == "length_token":
            fields.append(pa.field(column, pa.int8()))
        elif column == "trip_id":
            fields.append(pa.field(column, pa.string()))
        elif column == "start_time":
            fields.append(pa.field(column, pa.timestamp("us", tz=str(plain[column].dt.tz))))
        else:
            fields.append(pa.Schema.from_pandas(plain[[column]], preserve_index=False).field(column))
    table = pa.Table.from_pandas(plain, schema=pa.schema(fields), preserve_index=False)
    bounds = [float(b) for b in trips.total_bounds] if with_bounds and len(trips) else []
    facts: dict[str, object] = {"encoding": "WKB", "geometry_types": ["LineString"], "crs": _crs_as_json()}
    if bounds:
        facts["bbox"] = bounds
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": facts}}
    return table.replace_schema_metadata({"geo": json.dumps(geo)})


def points_table(trips: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return one row a point: `trip_id`, `time` (ISO 8601 with offset), `lon`, `lat`.

    An id that a spreadsheet would take for a formula gets an apostrophe, which makes it text.
    """
    xy, index = shapely.get_coordinates(trips.geometry.to_numpy(), return_index=True)
    times = point_times(trips, index)
    return pd.DataFrame(
        {
            "trip_id": trips["trip_id"]
            .map(lambda one: plain_cell(one) if isinstance(one, str) else one)
            .to_numpy()[index],
            "time": written(times),
            "lon": xy[:, 0].round(6),
            "lat": xy[:, 1].round(6),
        }
    )


def point_times(trips: gpd.GeoDataFrame, index: NDArray[np.int64]) -> pd.DatetimeIndex:
    """Return the time of every point; `index` is the row of each point, points of a row in order."""
    counts = np.bincount(index, minlength=len(trips))
    place = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    seconds = place * trips["interval"].to_numpy(dtype=float)[index]
    start = pd.DatetimeIndex(trips["start_time"])[index]
    return start + pd.to_timedelta(seconds, unit="s")


def written(times: pd.DatetimeIndex) -> list[str]:
    """Return times as they stand in files: local, with their offset, all to the millisecond."""
    rounded = times.tz_convert("UTC").round("ms").tz_convert(times.tz)  # not in the hour that comes twice
    return [time.isoformat(timespec="milliseconds") for time in rounded]


def to_geojson(trips: gpd.GeoDataFrame) -> str:
    """Return a GeoJSON FeatureCollection, one LineString feature a trip, start time in ISO 8601."""
    plain = trips.copy()
    plain["start_time"] = written(pd.DatetimeIndex(plain["start_time"]))
    for column in LIST_COLUMNS.keys() & set(plain.columns):
        plain[column] = [np.asarray(v).tolist() for v in plain[column]]
    return plain.to_json(drop_id=True)


def to_gpx(trips: gpd.GeoDataFrame) -> str:
    """Return GPX 1.1, one track a trip, with the time of every point in UTC."""
    import gpxpy.gpx  # noqa: PLC0415  only this format needs it

    gpx = gpxpy.gpx.GPX()
    gpx.creator = "HTP"
    xy, index = shapely.get_coordinates(trips.geometry.to_numpy(), return_index=True)
    times = point_times(trips, index).tz_convert("UTC").round("ms")
    segments = []
    for trip_id in trips["trip_id"]:
        track = gpxpy.gpx.GPXTrack(name=UNWRITABLE.sub("\ufffd", str(trip_id)))
        segments.append(gpxpy.gpx.GPXTrackSegment())
        track.segments.append(segments[-1])
        gpx.tracks.append(track)
    for (lon, lat), row, time in zip(xy.round(6), index, times, strict=True):
        segments[row].points.append(gpxpy.gpx.GPXTrackPoint(lat, lon, time=time.to_pydatetime()))
    # to the millisecond, all alike; gpxpy writes none or six digits behind the point
    return re.sub(
        r"(<time>[^<.]+?)(?:(\.\d{3})\d*)?Z<", lambda found: f"{found[1]}{found[2] or '.000'}Z<", gpx.to_xml()
    )


def point_count(duration_s: float, interval_s: float) -> int:
    """Return the number of points that a travel time asks for at a sampling interval, both ends counted."""
    return round(duration_s / interval_s) + 1


@cache
def _crs_as_json() -> dict[str, Any]:
    return pyproj.CRS("EPSG:4326").to_json_dict()


def _parts(path: Path) -> list[Path]:
    if path.is_dir():
        parts = sorted(path.glob("*.parquet"))
        if not parts:
            raise InputError(f"{path}: the folder holds no .parquet files; give a table of trips or a folder of parts.")
        return parts
    if not path.exists():
        raise InputError(f"{path}: no such file; give a table of trips (GeoParquet) or a folder of parts.")
    return [path]


def open_parquet(part: Path) -> pq.ParquetFile:
    """Open a Parquet file; `InputError` where it is none, or a bomb: a small file that holds very much."""
    with _refused(part):
        file = pq.ParquetFile(part)
        held = _bytes_held(file.metadata)
    if held > most_held(part):
        raise InputError(
            f"{part}: a file of {part.stat().st_size:,} bytes that holds {held:,} bytes; no trips are packed like "
            "that, do not open it."
        )
    return file


@contextmanager
def _refused(part: Path) -> Iterator[None]:
    """Turn what goes wrong with a damaged Parquet file into a sentence."""
    try:
        yield
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(
            f"{part}: not a readable Parquet file; give trips as GeoParquet, which `htp prepare` makes of others."
        ) from error


def _bytes_held(facts: pq.FileMetaData) -> int:
    """Return how large a file is once it is read, by its own account; repeated values take next to nothing in it."""
    groups = [facts.row_group(number) for number in range(facts.num_row_groups)]
    columns = [group.column(number) for group in groups for number in range(group.num_columns)]
    held = [max(column.total_uncompressed_size, BYTES_A_VALUE * column.num_values) for column in columns]
    return sum(held) + BYTES_A_VALUE * facts.num_rows


def _tables(file: pq.ParquetFile, rows: int, part: Path, columns: list[str] | None) -> Iterator[pa.Table]:
    batches = file.iter_batches(rows, columns=columns)
    while True:
        with _refused(part):
            batch = next(batches, None)
        if batch is None:
            return
        yield pa.Table.from_batches([batch])


def _read_part(part: Path, columns: list[str] | None) -> gpd.GeoDataFrame:
    file = open_parquet(part)
    lines = _check_columns(file, part, columns or ())
    with _refused(part):
        table = file.read(columns and [lines.name if name == "geometry" else name for name in columns])
    return _to_frame(table, part, lines)


def _check_columns(file: pq.ParquetFile, part: Path, needs: Sequence[str]) -> LineColumn:
    """Return which column holds the lines; `InputError` where a column is missing."""
    names = file.schema_arrow.names
    with _refused(part):
        lines = LineColumn.of(file.schema_arrow)
    missing = [
        name for name in (*COLUMNS, *needs) if name not in names and not (name == "geometry" and lines.name in names)
    ]
    if not missing:
        return lines
    if missing[0] in LIST_COLUMNS:
        raise InputError(f"{part}: the column {missing[0]!r} is missing; run `htp prepare` on these trips first.")
    raise InputError(f"{part}: the column {missing[0]!r} is missing; a table of trips has {', '.join(COLUMNS)}.")


def _to_frame(table: pa.Table, part: Path, lines: LineColumn) -> gpd.GeoDataFrame:
    geometry = lines.read(table, part)
    table = checked_lists(table.drop_columns(lines.name), LIST_COLUMNS, part)
    with _refused(part):
        plain = table.to_pandas()
    if "start_time" in plain and getattr(plain["start_time"].dtype, "tz", None) is None:
        raise InputError(f"{part}: 'start_time' has no time zone; store it with the city's time zone.")
    return gpd.GeoDataFrame(plain, geometry=geometry, crs="EPSG:4326")
