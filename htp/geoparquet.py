"""Read the columns of a Parquet table of trips that other programs write in ways of their own: lines and lists.

The column of lines may have any name, encoding (WKB, GeoArrow) and reference system; GeoParquet's facts say which.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyproj
import shapely

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

ENCODINGS = ("linestring", "multilinestring", "point")  # of GeoArrow, as GeoParquet 1.1 names them


@dataclass(frozen=True)
class LineColumn:
    """The column of lines of a table."""

    name: str = "geometry"
    encoding: str = "WKB"
    crs: Any = "OGC:CRS84"  # as GeoParquet has it where it says nothing; None: unknown

    @classmethod
    def of(cls, schema: pa.Schema) -> LineColumn:
        """Return what a file's schema says; `ValueError` or `KeyError` where that cannot be read."""
        said = (schema.metadata or {}).get(b"geo")
        if said is not None:
            facts = _parsed(said)
            name = facts["primary_column"]
            column = facts["columns"][name]
            return cls(name, column.get("encoding", "WKB"), column.get("crs", cls.crs))
        if "geometry" in schema.names:
            metadata = schema.field("geometry").metadata or {}
            if (extension := metadata.get(b"ARROW:extension:name", b"").decode()).startswith("geoarrow."):
                crs = _parsed(metadata.get(b"ARROW:extension:metadata") or b"{}").get("crs")
                return cls("geometry", extension.removeprefix("geoarrow.").replace("wkb", "WKB"), crs)
        return cls(crs=None if "geometry" in schema.names else cls.crs)

    def read(self, table: pa.Table, part: Path) -> NDArray[np.object_]:
        """Return the lines in degrees of WGS 84; `InputError` where they are none."""
        column = table[self.name]
        try:
            if self.encoding in ENCODINGS:
                field = pa.field(
                    "geometry", column.type, metadata={"ARROW:extension:name": f"geoarrow.{self.encoding}"}
                )
                plain = pa.Table.from_arrays([column], schema=pa.schema([field]))
                lines = gpd.GeoDataFrame.from_arrow(plain).geometry.to_numpy()
            else:
                lines = shapely.from_wkb(column.to_pandas().to_numpy())
        except (KeyError, TypeError, ValueError, pa.ArrowException, shapely.errors.GEOSException) as error:
            raise InputError(
                f"{part}: the column {self.name!r} holds no WKB lines; write them as GeoParquet."
            ) from error
        return self._in_degrees(np.asarray(lines), part)

    def _in_degrees(self, lines: NDArray[np.object_], part: Path) -> NDArray[np.object_]:
        if self.crs is None:
            return lines
        try:
            crs = pyproj.CRS.from_user_input(self.crs)
        except pyproj.exceptions.CRSError as error:
            raise InputError(f"{part}: the reference system of its lines cannot be read; write EPSG:4326.") from error
        if crs.equals(pyproj.CRS("OGC:CRS84"), ignore_axis_order=True):
            return lines
        if crs.equals(pyproj.CRS("EPSG:4326"), ignore_axis_order=True):
            return lines
        moved = gpd.GeoSeries(lines, crs=crs).to_crs("EPSG:4326").to_numpy()
        return np.asarray(moved)


def checked_lists(table: pa.Table, types: Mapping[str, pa.DataType], part: Path) -> pa.Table:
    """Return the table with its columns of lists in these types of values.

    `InputError` names the column and the trip where one holds no list, or other values than numbers of that type.
    """
    for name in [name for name in table.column_names if name in types]:
        column, wanted = table[name], pa.list_(types[name])
        what = "whole numbers" if pa.types.is_integer(types[name]) else "numbers"
        mend = f"the column {name!r} of a table of trips holds a list of {what} a trip; run `htp prepare` again."
        kind = column.type
        is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
        if not is_list or not (pa.types.is_integer(kind.value_type) or pa.types.is_floating(kind.value_type)):
            raise InputError(f"{part}: {name!r} is of type {kind}; {mend}")
        if column.null_count or pc.list_flatten(column).null_count:
            gaps = pc.is_null(column).to_pylist()
            row = gaps.index(True) if any(gaps) else next(i for i, v in enumerate(column.to_pylist()) if None in v)
            trip = table["trip_id"][row].as_py() if "trip_id" in table.column_names else row
            raise InputError(f"{part}: trip {trip} has nothing in {name!r}; {mend}")
        if kind.value_type != types[name]:
            try:
                safe = pa.types.is_integer(types[name])
                table = table.set_column(table.column_names.index(name), name, column.cast(wanted, safe=safe))
            except pa.ArrowInvalid as error:
                raise InputError(f"{part}: {name!r} holds other numbers ({error}); {mend}") from error
    return table


def _parsed(said: bytes) -> Any:
    """Return what JSON says; `ValueError` where it is none or nested without end."""
    try:
        return json.loads(said)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
