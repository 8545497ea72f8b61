"""Read the lines and fields of a layer: by GDAL what pyogrio knows, Parquet by pyarrow.

Packed files and Parquet that hold far more than their size are refused. A line of several parts becomes several lines;
heights and measures are dropped.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely

from htp.errors import InputError
from htp.geoparquet import LineColumn
from htp.trips import open_parquet
from htp.unpacked import most_held

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PARQUET_ENDINGS = (".parquet", ".geoparquet")
PACKED_ENDINGS = (".shp.zip", ".gdb.zip", ".gpkg.zip", ".geojson.zip", ".zip", ".shz")
GDAL_ENDINGS = (".gpkg", ".shp", ".gdb", ".geojson", ".geojsonl", ".geojsons", ".fgb", ".kml", ".gml")
LINE_ENDINGS = (*PARQUET_ENDINGS, *PACKED_ENDINGS, *GDAL_ENDINGS)
VSIZIP = "/vsizip/"
WITHIN_ZIP = (".shp", ".gpkg", ".geojson", ".fgb")
HEAD_BYTES = 1 << 16  # of a file, which have to be what its ending says: GDAL goes by them, and some lead elsewhere
STARTS = {  # ending -> what such files begin with
    ".gpkg": rb"SQLite format 3\0",
    ".fgb": rb"fgb\x03",
    ".shp": rb"\0\0\x27\x0a",
    ".kml": rb"(?s)\s*<.*<(\w+:)?kml\b",
    ".gml": rb"(?s)\s*<.*FeatureCollection\b",
}
ANY_JSON = rb"[\s\x1e]*[{\[]"
LEADS_AWAY = rb"(?i)<OGRVRT|<OGRWFS|WFS_Capabilities|<GDAL_"  # what GDAL would follow to other files and machines
NO_DOWNLOADS = {"GML_DOWNLOAD_SCHEMA": "NO", "GML_SKIP_RESOLVE_ELEMS": "ALL"}
LINE_TYPES = (1, 2)  # shapely's numbers of LineString and LinearRing


@dataclass(frozen=True)
class Layer:
    """Lines and what their fields say."""

    source: str  # as sentences name it
    lines: NDArray[np.object_]  # [N] LineStrings in the layer's own coordinates
    fields: pd.DataFrame  # [N]
    number: NDArray[np.int64]  # [N] of the feature in its file, from 1
    crs: pyproj.CRS | None
    left_out: dict[str, int] = field(default_factory=dict)  # reason -> features

    def take(self, kept: NDArray[np.bool_], reason: str) -> Layer:
        """Return the lines that are kept; the others are counted."""
        counts = dict(self.left_out)
        if not kept.all():
            counts[reason] = counts.get(reason, 0) + len(np.unique(self.number[~kept]))
        fields = self.fields.loc[kept].reset_index(drop=True)
        return replace(self, lines=self.lines[kept], fields=fields, number=self.number[kept], left_out=counts)


def read_layer(path: Path, wanted: str | None) -> Layer:
    """Read a file's layer of lines; `InputError` where it cannot be read, holds no lines or several such layers."""
    if path.name.lower().endswith(PARQUET_ENDINGS):
        shapes, fields, crs = _parquet(path)
    else:
        shapes, fields, crs = _by_gdal(path, wanted)
    return _lines_of(path, shapes, fields, crs)


def _parquet(path: Path) -> tuple[NDArray[np.object_], pd.DataFrame, pyproj.CRS | None]:
    unreadable = InputError(f"{path}: not a readable GeoParquet file of lines; write it anew.")
    try:
        file = open_parquet(path)
    except InputError as error:
        raise error if "that holds" in str(error) else unreadable from error  # a bomb says so itself
    try:
        column = LineColumn.of(file.schema_arrow)
        table = file.read()
        shapes = replace(column, crs=None).read(table, path)
        crs = None if column.crs is None else pyproj.CRS.from_user_input(column.crs)
        rest = [name for name in table.column_names if name not in (column.name, "bbox")]
        return shapes, table.select(rest).to_pandas(), crs
    except (OSError, ValueError, KeyError, TypeError, pyproj.exceptions.CRSError) as error:
        raise unreadable from error


def _by_gdal(path: Path, wanted: str | None) -> tuple[NDArray[np.object_], pd.DataFrame, pyproj.CRS | None]:
    address, wanted = _within(path, wanted) if path.name.lower().endswith(PACKED_ENDINGS) else (str(path), wanted)
    if not address.startswith(VSIZIP) and path.is_file():
        with path.open("rb") as file:
            _check_head(path, path.name, file.read(HEAD_BYTES))
    pyogrio.set_gdal_config_options(NO_DOWNLOADS)
    try:
        layer = _chosen(path, pyogrio.list_layers(address), wanted)
        read = pyogrio.read_dataframe(address, layer=layer)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path}: cannot be read as a layer of lines ({error}); give it whole, with the files beside it."
        ) from error
    if "geometry" not in read:
        raise InputError(f"{path}: its layer {layer!r} holds no lines, only a table; give the layer of centre lines.")
    crs = read.crs if read.crs is not None and not _is_nameless(read.crs) else None
    return np.asarray(read.geometry.array), pd.DataFrame(read.drop(columns="geometry")), crs


def _check_head(path: Path, name: str, head: bytes) -> None:
    """Raise `InputError` where a file, or one within a packed one, does not begin as its name says."""
    start = STARTS.get("." + name.lower().rsplit(".", 1)[-1], ANY_JSON)
    if not re.match(start, head.removeprefix(b"\xef\xbb\xbf")) or re.search(LEADS_AWAY, head):
        raise InputError(
            f"{path}: cannot be read as a layer of lines ({name} is not what its ending says); give the file that they "
            "were saved in."
        )


def _is_nameless(crs: pyproj.CRS) -> bool:
    """Say whether a reference system says nothing of where on earth it is (GeoPackage's undefined ones)."""
    return bool(crs.is_engineering or crs.name.lower().startswith(("undefined", "unknown")))


def _within(path: Path, wanted: str | None) -> tuple[str, str | None]:
    """Return GDAL's address of the file within a packed one, and the layer that is still to be chosen there."""
    try:
        with zipfile.ZipFile(path) as packed:
            held = sum(one.file_size for one in packed.infolist())
            names = [one.filename for one in packed.infolist() if not one.filename.startswith("__MACOSX")]
            for name in names if held <= most_held(path) else ():
                if name.lower().endswith(WITHIN_ZIP):
                    with packed.open(name) as file:
                        _check_head(path, name, file.read(HEAD_BYTES))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError) as error:
        raise InputError(f"{path}: cannot be unpacked ({error}); get it anew.") from error
    if held > most_held(path):
        raise InputError(f"{path}: holds {held:,} bytes, far more than its size; no roads are packed like that.")
    bases = {name.split(".gdb/")[0] + ".gdb" for name in names if ".gdb/" in name}
    files = sorted(bases | {name for name in names if name.lower().endswith(WITHIN_ZIP)})
    named = [name for name in files if wanted in (name, name.rsplit("/", 1)[-1].rpartition(".")[0])]
    if not files:
        raise InputError(f"{path}: holds no layer of lines ({', '.join(WITHIN_ZIP)}); give one that does.")
    if len(files) > 1 and not named:
        raise InputError(f"{path}: holds {', '.join(files)}; name one of them with --layer.")
    return f"{VSIZIP}{path.absolute()}/{(named or files)[0]}", None if named else wanted


def _chosen(path: Path, layers: NDArray[np.object_], wanted: str | None) -> str:
    """Return the name of the layer of lines; `layers` [N, 2] are names and kinds of geometry."""
    names = [str(name) for name in layers[:, 0]]
    if wanted is not None:
        if wanted not in names:
            raise InputError(f"{path}: has no layer {wanted!r}; it has {', '.join(names)}.")
        return wanted
    kinds = [str(kind) for kind in layers[:, 1]]
    certain = [name for name, kind in zip(names, kinds, strict=True) if "Line" in kind or "Curve" in kind]
    found = certain or [
        name for name, kind in zip(names, kinds, strict=True) if kind in ("Unknown", "GeometryCollection")
    ]
    if not found:
        raise InputError(f"{path}: holds no lines ({', '.join(sorted(set(kinds)))}); give the layer of centre lines.")
    if len(found) > 1:
        raise InputError(f"{path}: has the layers {', '.join(found)}; name the one of centre lines with --layer.")
    return found[0]


def _lines_of(path: Path, shapes: NDArray[np.object_], fields: pd.DataFrame, crs: pyproj.CRS | None) -> Layer:
    """Return the layer without what is no line, each part a line of its own."""
    nothing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    number = np.arange(1, len(shapes) + 1)
    there = np.flatnonzero(~nothing)
    parts, row = shapely.get_parts(shapely.force_2d(shapes[there]), return_index=True)
    parts, inner = shapely.get_parts(parts, return_index=True)  # lines of several parts within a collection
    row = there[row[inner]]
    layer = Layer(path.name, parts, fields.iloc[row].reset_index(drop=True), number[row], crs)
    layer = layer.take(np.isin(shapely.get_type_id(parts), LINE_TYPES), "no lines")
    if not len(layer.lines):
        kinds = sorted({str(one.geom_type) for one in parts[:1000]}) or ["nothing"]
        raise InputError(f"{path}: holds no lines ({', '.join(kinds)}); give the layer of centre lines.")
    xy, of = shapely.get_coordinates(layer.lines, return_index=True)
    broken = np.unique(of[~np.isfinite(xy).all(axis=1)])
    layer = layer.take(~np.isin(np.arange(len(layer.lines)), broken), "lines with broken coordinates")
    layer = layer.take(shapely.length(layer.lines) > 0, "lines without length")
    if nothing.any():
        layer.left_out["features without a line"] = int(nothing.sum())
    return layer
