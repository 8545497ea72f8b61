"""Hold a city's directed roads as arrays, and read and write the city folder.

`roads.parquet` has a row a road in `road_id` order; `city.json` the rest. Every array here is indexed by road_id.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from htp.errors import InputError
from htp.trips import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = ("road_id", "u", "v", "osm_id", "name", "highway", "length_m", "lanes", "speed_kmh", "geometry")


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
            facts = json.loads((folder / "city.json").read_text(encoding="utf-8"))
            roads = gpd.read_parquet(folder / "roads.parquet")
            zones = gpd.read_parquet(folder / "zones.parquet") if (folder / "zones.parquet").exists() else None
        except (ValueError, OSError) as error:
            raise InputError(f"{folder}: city.json or roads.parquet is damaged; make the city again.") from error
        missing = sorted(set(COLUMNS) - set(roads.columns))
        if missing:
            raise InputError(f"{folder}/roads.parquet: the column {missing[0]!r} is missing; make the city again.")
        keys = ("name", "timezone", "crs", "source", "licence")
        return cls(**{key: facts[key] for key in keys}, roads=roads, zones=zones)

    def save(self, folder: Path | str) -> None:
        """Write the city folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        facts = {
            "name": self.name,
            "timezone": self.timezone,
            "crs": self.crs,
            "bounds": [round(float(b), 6) for b in self.roads.total_bounds],  # lon, lat, lon, lat
            "source": self.source,
            "licence": self.licence,
            "roads": len(self),
        }
        with replacing(folder / "roads.parquet") as path:
            self.roads.to_parquet(path, compression="zstd", schema_version="1.1.0")
        if self.zones is not None:
            with replacing(folder / "zones.parquet") as path:
                self.zones.to_parquet(path, compression="zstd", schema_version="1.1.0")
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
    def _transformers(self) -> tuple[pyproj.Transformer, pyproj.Transformer]:
        there = pyproj.Transformer.from_crs("EPSG:4326", self.crs, always_xy=True)
        return there, pyproj.Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)

    def to_metres(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert longitude and latitude [N, 2] to metres of the metric CRS [N, 2]."""
        return np.column_stack(self._transformers[0].transform(lonlat[:, 0], lonlat[:, 1]))

    def to_lonlat(self, xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert metres of the metric CRS [N, 2] to longitude and latitude [N, 2]."""
        return np.column_stack(self._transformers[1].transform(xy_m[:, 0], xy_m[:, 1]))
