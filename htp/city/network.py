"""Hold a city's directed roads as arrays, and read and write the city folder.

`roads.parquet` has a row a road in `road_id` order; `zones.parquet` the zones and `landscape.parquet` what a map shows
beside roads, where the source has them; `city.json` the rest. Every array here is indexed by road_id.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from htp.city import turns
from htp.errors import InputError
from htp.files import replacing
from htp.json_files import MAX_NAME, read_object, text_in
from htp.trips import open_parquet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_array

    from htp.city.routing import Router, Snap
    from htp.trips import Route

OSM_ATTRIBUTION = "© OpenStreetMap contributors"
BESIDE_ROADS = ("zones.parquet", "landscape.parquet")  # files that a city may lack
COLUMNS = ("road_id", "u", "v", "osm_id", "name", "highway", "length_m", "lanes", "speed_kmh", "geometry")


AUTHORITY_CODE = re.compile(r"[A-Za-z]{2,12}:[A-Za-z0-9_]{1,24}")  # EPSG:32719; neither a path nor PROJ's +init=FILE


def said_of_city(facts: dict[str, Any], where: str) -> dict[str, str]:
    """Return what `city.json` or a service says of a city in words; older ones are OpenStreetMap's unsaid.

    `InputError`, which names `where` it is said, unless all are texts, the time zone one that there is, and the
    reference system one that has a code and is in metres.
    """
    facts = {"attribution": OSM_ATTRIBUTION} | facts
    words = {key: text_in(facts, key, where, MAX_NAME) for key in ("name", "timezone", "crs")}
    words |= {key: text_in(facts, key, where) for key in ("source", "licence", "attribution")}
    try:
        ZoneInfo(words["timezone"])
    except (ValueError, OSError, KeyError) as error:  # no key at all, a folder or a long name, none that is known
        raise InputError(
            f"{where}: {words['timezone']!r} is no time zone; it takes one such as Europe/Lisbon."
        ) from error
    if not (AUTHORITY_CODE.fullmatch(words["crs"]) and _in_metres(words["crs"])):
        raise InputError(
            f"{where}: {words['crs']!r} is no reference system in metres; it takes one such as EPSG:32719."
        )
    return words


def _in_metres(crs: str) -> bool:
    try:
        known = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        return False
    return known.is_projected and all(axis.unit_name == "metre" for axis in known.axis_info)


@dataclass(frozen=True)
class City:
    """The road network of a city (Definition 2 of the paper): directed roads, their geometry and attributes."""

    name: str
    timezone: str  # IANA
    crs: str  # metric CRS, e.g. "EPSG:32719"
    source: str  # where the roads came from
    licence: str  # of the roads
    roads: gpd.GeoDataFrame  # COLUMNS, EPSG:4326, row i is road_id i
    zones: gpd.GeoDataFrame | None = None  # zone_id, population, geometry (EPSG:4326), where the source has them
    attribution: str = OSM_ATTRIBUTION  # whom maps credit for the roads, nobody where it is empty
    landscape: gpd.GeoDataFrame | None = None  # see htp.city.landscape, where the source has it

    def __len__(self) -> int:
        return len(self.roads)

    @classmethod
    def load(cls, folder: Path | str) -> City:
        """Load a city folder; `InputError` where a file is missing or damaged."""
        folder = Path(folder)
        for name in ("city.json", "roads.parquet"):
            if not (folder / name).is_file():
                raise InputError(f"{folder}: {name} is missing; make the city with `htp city SOURCE --out {folder}`.")
        try:
            facts = said_of_city(read_object(folder / "city.json"), str(folder / "city.json"))
        except InputError as error:
            raise InputError(f"{str(error).rstrip('.')}; the city is damaged, make it again.") from error
        try:
            for table in folder.glob("*.parquet"):
                open_parquet(table)  # refuses bombs
            roads = gpd.read_parquet(folder / "roads.parquet")
            zones, landscape = (
                gpd.read_parquet(folder / name) if (folder / name).exists() else None for name in BESIDE_ROADS
            )
        except (ValueError, OSError, KeyError, TypeError, RecursionError) as error:
            raise InputError(f"{folder}: a .parquet file is damaged; make the city again.") from error
        missing = sorted(set(COLUMNS) - set(roads.columns))
        if missing:
            raise InputError(f"{folder}/roads.parquet: the column {missing[0]!r} is missing; make the city again.")
        if roads.empty or not np.array_equal(roads["road_id"], np.arange(len(roads))):
            raise InputError(f"{folder}/roads.parquet: road_id does not count from 0; make the city again.")
        return cls(**facts, roads=roads, zones=zones, landscape=landscape)

    def save(self, folder: Path | str) -> None:
        """Write the city folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        facts = {
            "name": self.name,
            "timezone": self.timezone,
            "crs": self.crs,
            "bounds": [round(bound, 6) for bound in self.bounds],  # lon, lat, lon, lat
            "source": self.source,
            "licence": self.licence,
            "attribution": self.attribution,
            "roads": len(self),
        }
        tables = dict(zip(("roads.parquet", *BESIDE_ROADS), (self.roads, self.zones, self.landscape), strict=True))
        for name, table in tables.items():
            if table is None:
                (folder / name).unlink(missing_ok=True)  # of a city that was here before
            else:
                with replacing(folder / name) as path:
                    table.to_parquet(path, compression="zstd", schema_version="1.1.0")
        with replacing(folder / "city.json") as path:
            path.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    @cached_property
    def xy_m(self) -> NDArray[np.float64]:
        """All vertices of all roads in metres of the metric CRS, road after road, [K, 2]."""
        lonlat = shapely.get_coordinates(self.roads.geometry.to_numpy())
        return self.to_metres(lonlat)

    @cached_property
    def first_vertex(self) -> NDArray[np.int64]:
        """Where the vertices of each road begin in `xy_m`, [V + 1]."""
        counts = shapely.get_num_coordinates(self.roads.geometry.to_numpy())
        return np.concatenate([[0], np.cumsum(counts)])

    @cached_property
    def vertex_m(self) -> NDArray[np.float64]:
        """Distance of each vertex from the start of its road, in metres, [K]."""
        steps = np.r_[0.0, np.hypot(*np.diff(self.xy_m, axis=0).T)]
        steps[self.first_vertex[:-1]] = 0.0
        total = np.cumsum(steps)
        counts = np.diff(self.first_vertex)
        return total - np.repeat(total[self.first_vertex[:-1]], counts)

    @cached_property
    def length_m(self) -> NDArray[np.float64]:
        """Length of each road in metres of the metric CRS, [V]."""
        return self.vertex_m[self.first_vertex[1:] - 1]

    @cached_property
    def u(self) -> NDArray[np.int64]:
        """Node at which each road starts, numbered from 0, [V]."""
        return self._nodes[: len(self)]

    @cached_property
    def v(self) -> NDArray[np.int64]:
        """Node at which each road ends, numbered from 0, [V]."""
        return self._nodes[len(self) :]

    @cached_property
    def _nodes(self) -> NDArray[np.int64]:
        _, compact = np.unique(np.r_[self.roads["u"], self.roads["v"]], return_inverse=True)
        return compact.astype(np.int64)

    @cached_property
    def free_flow_s(self) -> NDArray[np.float64]:
        """Seconds to drive each road at its speed limit, [V]."""
        return self.length_m / (self.roads["speed_kmh"].to_numpy(dtype=float) / 3.6)

    @cached_property
    def lines_m(self) -> NDArray[np.object_]:
        """The geometry of each road in metres of the metric CRS, [V]."""
        road = np.repeat(np.arange(len(self)), np.diff(self.first_vertex))
        return np.asarray(shapely.linestrings(self.xy_m, indices=road))

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north ends of the roads, degrees."""
        west, south, east, north = (float(bound) for bound in self.roads.total_bounds)
        return west, south, east, north

    @cached_property
    def opposite(self) -> NDArray[np.int32]:
        """The road_id of the same street in the other direction, -1 where it is one-way, [V]."""
        return turns.opposite_roads(self)

    @cached_property
    def successors(self) -> csr_array:
        """The roads that may follow each road, a sparse matrix of ones [V, V]; see `htp.city.turns`."""
        return turns.successors(self)

    @cached_property
    def router(self) -> Router:
        """The search for routes at the speed limits."""
        from htp.city.routing import Router  # noqa: PLC0415  it takes a City

        return Router(self)

    def snap(self, lon: float, lat: float) -> Snap:
        """Return the nearest place on a road; `InputError` where `lon`, `lat` (degrees) is out of town."""
        return self.router.snap(lon, lat)

    def route(self, waypoints: Sequence[tuple[float, float]], depart: str | datetime | None = None) -> Route:
        """Return the fastest route through `waypoints`, (lon, lat) in degrees, at the speed limits.

        The limits are the same at every hour: `depart`, where given, is only checked (see `local_time`).
        `InputError` for waypoints out of town, at one place or without a connection.
        """
        if depart is not None:
            self.local_time(depart)
        return self.router.route(waypoints)

    def is_connected(self, roads: ArrayLike) -> bool:
        """Say whether each of `roads` (road_id, [R]) begins where the one before ends."""
        roads = np.asarray(roads, dtype=np.int64)
        return bool((self.v[roads[:-1]] == self.u[roads[1:]]).all())

    def local_time(self, value: str | datetime) -> pd.Timestamp:
        """Return a time in the city's time zone, from ISO 8601 text such as `2024-05-06 08:15` or a datetime.

        Without an offset it is local time, the first of the two where clocks are set back. `InputError` where it
        cannot be read or does not exist because clocks are set forward.
        """
        unreadable = InputError(f"{value!r} is no time; give one such as 2024-05-06 08:15.")
        try:
            stamp = pd.Timestamp(datetime.fromisoformat(value) if isinstance(value, str) else value)
            if stamp.tzinfo is None:
                local = stamp.tz_localize(self.timezone, ambiguous=True, nonexistent="NaT")
            else:
                local = stamp.tz_convert(self.timezone)
        except (ValueError, TypeError, OverflowError, NotImplementedError) as error:  # the last two: years 1 and 9999
            raise unreadable from error
        if isinstance(local, pd.Timestamp):
            return local
        if pd.isna(stamp):
            raise unreadable
        raise InputError(f"{value} does not exist in {self.timezone}: clocks are set forward; choose another time.")

    @cached_property
    def _transformers(self) -> tuple[pyproj.Transformer, pyproj.Transformer]:
        there = pyproj.Transformer.from_crs("EPSG:4326", self.crs, always_xy=True)
        return there, pyproj.Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)

    def to_metres(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert longitude and latitude [N, 2] to metres of the metric CRS [N, 2]."""
        return np.column_stack(self._transformers[0].transform(lonlat[:, 0], lonlat[:, 1]))

    def to_lonlat(self, xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert metres of the metric CRS [N, 2] to longitude and latitude [N, 2]."""
        return np.column_stack(self._transformers[1].transform(xy_m[:, 0], xy_m[:, 1]))
