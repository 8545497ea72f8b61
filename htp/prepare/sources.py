"""Open whatever holds trips, see `docs/formats.md`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from htp.errors import InputError
from htp.prepare.drives import in_town
from htp.prepare.options import Hints
from htp.prepare.readers.geojson import GeoJsonSource
from htp.prepare.readers.geolife import GeolifeSource
from htp.prepare.readers.gpx import GpxSource
from htp.prepare.readers.layout import read_layout
from htp.prepare.readers.parquet import ParquetSource
from htp.prepare.readers.points_csv import PointsChunk, PointsSource
from htp.prepare.readers.porto import PortoSource
from htp.prepare.readers.sumo import SumoSource
from htp.unpacked import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.prepare.rawtrips import Source

SWAPPED_SHARE = 0.5  # ours: of the points of a source's first chunk
TABLES = (".csv", ".tsv", ".txt")
DOCUMENTS = (".geojson", ".json", ".geojsonl", ".ndjson")
READABLE = (*TABLES, ".gpx", ".plt", ".geojson", ".parquet", ".xml (SUMO)")
FOLDERS = (".csv", ".tsv", ".geojson", ".gpx", ".plt", ".parquet")


def open_sources(
    paths: Sequence[Path], columns: Mapping[str, str], timezone: str, hints: Hints | None = None
) -> list[Source]:
    """Open each path by its ending and header; `timezone` is of times that carry none."""
    if not paths:
        raise InputError("No trips were given; give at least one file or folder.")
    hints = hints or Hints()
    return [_open(path, columns, hints.timezone or timezone, hints) for path in paths]


def check_first_trips(sources: Sequence[Source], city: City) -> None:
    """Raise `InputError` where the first trips of a source have no dates, no degrees, or these swapped."""
    for source in sources:
        chunk = next(iter(source.chunks()), None)
        if chunk is None:
            continue
        raw = chunk.parse()
        if isinstance(chunk, PointsChunk):
            chunk.check(raw, f"{source.path}")
        if len(raw.lonlat):
            _check_in_town(raw.lonlat, city, source.path)


def digest(path: Path) -> str:
    """Return a hash of the bytes of a file, or of all files of a folder."""
    result = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            result.update(file.relative_to(path.parent).as_posix().encode())
            with file.open("rb") as stream:
                result.update(hashlib.file_digest(stream, "sha256").digest())
    return result.hexdigest()


def _check_in_town(lonlat: NDArray[np.float64], city: City, path: Path) -> None:
    """Raise `InputError` where points are in town only with longitude and latitude swapped."""
    if in_town(lonlat[:, ::-1], city).mean() > SWAPPED_SHARE > in_town(lonlat, city).mean():
        raise InputError(
            f"{path}: longitude and latitude are swapped, the points lie in {city.name} only the other way round; put "
            "the longitude first, or name the columns with --column lon=NAME --column lat=NAME."
        )


def _open(path: Path, columns: Mapping[str, str], timezone: str, hints: Hints) -> Source:
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; give trips as CSV, GPX or GeoParquet.")
    kind = _kind_in(path) if path.is_dir() else kind_of(path)
    if kind == ".parquet":
        return ParquetSource(path, hints)
    if kind == ".gpx":
        return GpxSource(path)
    if kind == ".plt":
        return GeolifeSource(path)
    if kind in DOCUMENTS:
        return GeoJsonSource(path, columns, timezone, hints)
    if kind == ".xml":
        return SumoSource(path, timezone, hints)
    if kind not in TABLES:
        raise InputError(f"{path}: trips are read from {', '.join(READABLE)}; unpack or convert the file first.")
    is_porto = "POLYLINE" in read_layout(path).names
    return PortoSource(path) if is_porto else PointsSource(path, columns, timezone, hints)


def _kind_in(path: Path) -> str:
    """Return the kind of files that a folder holds; `InputError` where they are of several, or tables."""
    present = {kind_of(file) for file in path.rglob("*") if file.is_file()}
    kinds = present & {*FOLDERS} or present & {".txt"}  # beside others it says something about them
    if len(kinds) > 1:
        raise InputError(f"{path}: the folder holds {' and '.join(sorted(kinds))} files; name the trips among them.")
    if kinds & {*TABLES, *DOCUMENTS}:
        raise InputError(
            f"{path}: the folder holds {kinds.pop()} files, whose columns may differ; name them one by one."
        )
    return kinds.pop() if kinds else ".parquet"
