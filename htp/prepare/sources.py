"""Open whatever holds trips: Porto CSV, plain CSV of points, GPX, GeoParquet."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from htp.errors import InputError
from htp.prepare.clean import in_town
from htp.prepare.csv_rows import read_header
from htp.prepare.gpx import GpxSource
from htp.prepare.parquet import ParquetSource
from htp.prepare.points_csv import PointsSource
from htp.prepare.porto import PortoSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from htp.city.network import City
    from htp.prepare.rawtrips import Source

SWAPPED_SHARE = 0.5  # ours: of the points of a source's first chunk


def open_sources(paths: Sequence[Path], columns: Mapping[str, str], timezone: str) -> list[Source]:
    """Open each path by its ending and header; `timezone` is of times that carry none."""
    if not paths:
        raise InputError("No trips were given; give at least one file or folder.")
    return [_open(path, columns, timezone) for path in paths]


def check_in_town(sources: Sequence[Source], city: City) -> None:
    """Raise `InputError` where the first trips of a source are in town only with longitude and latitude swapped."""
    for source in sources:
        chunk = next(iter(source.chunks()), None)
        lonlat = chunk.parse().lonlat if chunk else None
        if lonlat is None or len(lonlat) == 0:
            continue
        if in_town(lonlat[:, ::-1], city).mean() > SWAPPED_SHARE > in_town(lonlat, city).mean():
            raise InputError(
                f"{source.path}: longitude and latitude are swapped, the points lie in {city.name} only the other way "
                "round; put the longitude first."
            )


def digest(path: Path) -> str:
    """Return a hash of the bytes of a file, or of all files of a folder."""
    result = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            result.update(file.relative_to(path.parent).as_posix().encode())
            with file.open("rb") as stream:
                result.update(hashlib.file_digest(stream, "sha256").digest())
    return result.hexdigest()


def _open(path: Path, columns: Mapping[str, str], timezone: str) -> Source:
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; give trips as CSV, GPX or GeoParquet.")
    if path.is_dir():
        return _open_folder(path)
    kind = path.suffix.lower()
    if kind == ".parquet":
        return ParquetSource(path)
    if kind == ".gpx":
        return GpxSource(path)
    if kind != ".csv":
        raise InputError(f"{path}: trips are read from .csv, .gpx and .parquet; unpack or convert the file first.")
    _, header = read_header(path)
    return PortoSource(path) if "POLYLINE" in header else PointsSource(path, columns, timezone)


def _open_folder(path: Path) -> Source:
    kinds = {file.suffix.lower() for file in path.rglob("*") if file.is_file()} & {".csv", ".gpx", ".parquet"}
    if len(kinds) > 1:
        raise InputError(f"{path}: the folder holds {' and '.join(sorted(kinds))} files; name the trips among them.")
    if kinds == {".csv"}:
        raise InputError(f"{path}: the folder holds .csv files, whose columns may differ; name them one by one.")
    return GpxSource(path) if kinds == {".gpx"} else ParquetSource(path)
