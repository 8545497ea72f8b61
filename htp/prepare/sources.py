"""Open whatever holds trips: Porto CSV, plain CSV of points, GPX, GeoParquet."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from htp.errors import InputError
from htp.prepare.clean import in_town
from htp.prepare.parquet import ParquetSource
from htp.prepare.porto import PortoSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from htp.city.network import City
    from htp.prepare.rawtrips import Source

SWAPPED_SHARE = 0.5  # ours: of the points of the first chunk


def open_sources(paths: Sequence[Path], columns: Mapping[str, str], timezone: str) -> list[Source]:
    """Open each path by its ending and header; `timezone` is of times that carry none."""
    if not paths:
        raise InputError("No trips were given; give at least one file or folder.")
    return [_open(path, columns, timezone) for path in paths]


def check_in_town(sources: Sequence[Source], city: City) -> None:
    """Raise `InputError` where the first trips of a source are in town only with longitude and latitude swapped."""
    for source in sources:
        for chunk in source.chunks():
            lonlat = chunk.parse().lonlat
            swapped, given = in_town(lonlat[:, ::-1], city), in_town(lonlat, city)
            if len(lonlat) and swapped.mean() > SWAPPED_SHARE > given.mean():
                raise InputError(
                    f"{source.path}: longitude and latitude are swapped, the points lie in {city.name} only the other "
                    "way round; put the longitude first."
                )
            break


def digest(path: Path) -> str:
    """Return a hash of a file's or folder's names and bytes, to tell whether parts were made from it."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    result = hashlib.sha256()
    for file in files:
        if file.is_file():
            result.update(file.name.encode())
            with file.open("rb") as stream:
                result.update(hashlib.file_digest(stream, "sha256").digest())
    return result.hexdigest()


def _open(path: Path, columns: Mapping[str, str], timezone: str) -> Source:
    if path.suffix == ".parquet":
        return ParquetSource(path)
    return PortoSource(path)
