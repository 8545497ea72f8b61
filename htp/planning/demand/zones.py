"""Read zones, say which roads lie in them, and draw places where trips start and end.

A trip starts or ends on a road whose middle lies in the zone, each metre of road as likely as the other; a metre of
a main road counts less, one of a motorway nothing: that is where people live, shop and work (ours).
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pyarrow as pa
import shapely

from htp.city.grid import cells_of, south_west_of
from htp.compute.ragged import Ragged
from htp.errors import InputError
from htp.planning.demand.table import MAX_BYTES, zone_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.city import City

MAX_ZONES = 5_000
ID_COLUMNS = ("zone_id", "zone", "id", "name")  # the first that is there
MAIN, FAST = ("primary", "secondary"), ("motorway", "trunk")
MAIN_WEIGHT = 0.3  # of a metre of a main road
SHORTEST_END_M = 20.0  # no trip starts or ends on a road shorter than this
ENDS = (0.05, 0.95)  # of a road, between which places lie: never on a junction
GRID_M = (1000.0, 1500.0, 2000.0, 3000.0, 5000.0, 10_000.0, 20_000.0)  # sides of the zones of a city without any
MAX_GRID = 200  # such zones
MARGIN = 0.01  # degrees around the roads within which a zone is of the city


class Places(NamedTuple):
    """Places of N trips."""

    road: NDArray[np.int64]  # [N] road_id
    along_m: NDArray[np.float64]  # [N] from the start of the road


@dataclass(frozen=True)
class Zones:
    """Z zones with the K roads in them."""

    names: tuple[str, ...]
    shapes: NDArray[np.object_]  # [Z] polygons, EPSG:4326
    people: NDArray[np.float64]  # [Z] population, or the weighted metres of road where it is not known
    road: Ragged[np.int64]  # [Z] rows of road_id
    before: NDArray[np.float64]  # [K + 1] weight of all roads before
    gridded: bool = False  # whether they are cells that we laid out

    @classmethod
    def of(cls, city: City, frame: gpd.GeoDataFrame) -> Zones:
        """Find the roads of zones with `zone_id`, `geometry` and perhaps `population`; zones may overlap."""
        usable = np.flatnonzero(road_weights(city))
        middles = shapely.points(city.to_lonlat(_middles_m(city)[usable]))
        place, zone = shapely.STRtree(frame.geometry.to_numpy()).query(middles, predicate="intersects")
        return cls._with_roads(city, frame, usable[place], zone)

    @classmethod
    def laid_over(cls, city: City) -> Zones:
        """Lay square zones over all roads of a city; `InputError` where it has none to start on."""
        usable = np.flatnonzero(road_weights(city))
        if not len(usable):
            raise InputError(f"{city.name}: no road is fit for a trip to start or end on; check the city's roads.")
        middles_m = _middles_m(city)[usable]
        side_m = next((side for side in GRID_M if len(np.unique(cells_of(middles_m, side))) <= MAX_GRID), GRID_M[-1])
        cells, zone = np.unique(cells_of(middles_m, side_m), return_inverse=True)
        west, south = south_west_of(cells, side_m).T
        shapes = shapely.transform(shapely.box(west, south, west + side_m, south + side_m), city.to_lonlat)
        frame = gpd.GeoDataFrame({"zone_id": np.arange(1, len(shapes) + 1)}, geometry=shapes, crs="EPSG:4326")
        return cls._with_roads(city, frame, usable, zone, gridded=True)

    @classmethod
    def _with_roads(
        cls,
        city: City,
        frame: gpd.GeoDataFrame,
        road: NDArray[np.int64],
        zone: NDArray[np.int64],
        *,
        gridded: bool = False,
    ) -> Zones:
        """Return zones, given as pairs of a road and the row of its zone."""
        order = np.lexsort((road, zone))
        roads = Ragged.from_counts(road[order], np.bincount(zone, minlength=len(frame)))
        before = np.r_[0.0, np.cumsum(road_weights(city)[roads.flat])]
        people = np.diff(before[roads.first])
        if "population" in frame:
            people = np.clip(frame["population"].fillna(0).to_numpy(dtype=float), 0, None)
        names = tuple(zone_name(value) for value in frame["zone_id"])
        return cls(names, frame.geometry.to_numpy(), people, roads, before, gridded)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def metres(self) -> NDArray[np.float64]:
        """Weighted metres of road in each zone, [Z]."""
        return np.diff(self.before[self.road.first])

    def draw(self, city: City, rows: NDArray[np.int64], rng: np.random.Generator) -> Places:
        """Draw a place in each of the zones `rows` [N]; `InputError` where one has no road to start on."""
        first, stop = self.road.first[rows], self.road.first[rows + 1]
        empty = rows[first == stop]
        if len(empty):
            raise InputError(
                f"zone {self.names[empty[0]]} has no road of {city.name} that a trip could start or end on; give it "
                "no trips, or draw it over roads."
            )
        low, high = self.before[first], self.before[stop]
        aim = low + rng.random(len(rows)) * (high - low)
        found = np.searchsorted(self.before, aim, side="right") - 1
        road = self.road.flat[np.clip(found, first, stop - 1)]
        return Places(road, city.length_m[road] * rng.uniform(*ENDS, len(rows)))


def city_zones(city: City) -> Zones:
    """Return the zones that the city has, or else square ones laid over its roads (`gridded`)."""
    return Zones.laid_over(city) if city.zones is None else Zones.of(city, city.zones)


def read_zones(content: bytes, name: str, city: City) -> Zones:
    """Read zones from a GeoJSON or GeoParquet file's `content`; `InputError` says what is wrong with which zone."""
    if len(content) > MAX_BYTES:
        raise InputError(f"{name}: has {len(content) / 1e6:.0f} MB; give at most {MAX_BYTES / 1e6:.0f} MB.")
    ending = Path(name).suffix.lower()
    if ending not in {".geojson", ".json", ".parquet"}:
        raise InputError(f"{name}: zones are read from .geojson and .parquet (GeoParquet); convert the file first.")
    frame = _from_parquet(content, name) if ending == ".parquet" else _from_geojson(content, name)
    if not 0 < len(frame) <= MAX_ZONES:
        raise InputError(f"{name}: holds {len(frame):,} zones; give 1 to {MAX_ZONES:,}.")
    frame = frame.assign(zone_id=_ids(frame, name))
    shapes = _polygons(frame, name)
    _check_place(shapes, name, city)
    kept = ["zone_id", "population"] if "population" in frame else ["zone_id"]
    if "population" in kept and frame["population"].dtype.kind not in "iuf":
        raise InputError(f"{name}: the column 'population' holds text; give numbers, or leave it away.")
    return Zones.of(city, gpd.GeoDataFrame(frame[kept].reset_index(drop=True), geometry=shapes, crs="EPSG:4326"))


def road_weights(city: City) -> NDArray[np.float64]:
    """Return how likely trips start or end on each road, [V]: weighted metres."""
    kind = city.roads["highway"].astype(str).str.removesuffix("_link")
    weight = np.select([kind.isin(FAST), kind.isin(MAIN)], [0.0, MAIN_WEIGHT], 1.0)
    return np.where(city.length_m >= SHORTEST_END_M, weight * city.length_m, 0.0)


def _middles_m(city: City) -> NDArray[np.float64]:
    """Return the middle of each road along its line, in metres of the metric CRS, [V, 2]."""
    return shapely.get_coordinates(shapely.line_interpolate_point(city.lines_m, 0.5, normalized=True))


def _from_geojson(content: bytes, name: str) -> gpd.GeoDataFrame:
    try:
        features = json.loads(content.decode("utf-8-sig"))["features"]
        frame = gpd.GeoDataFrame.from_features(features, crs="EPSG:4326")
        if not any(column in frame for column in ID_COLUMNS) and all("id" in feature for feature in features):
            frame["zone_id"] = [feature["id"] for feature in features]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, shapely.errors.ShapelyError) as error:
        raise InputError(f"{name}: is no GeoJSON; give a FeatureCollection with a polygon a zone.") from error
    return frame


def _from_parquet(content: bytes, name: str) -> gpd.GeoDataFrame:
    try:
        frame = gpd.read_parquet(io.BytesIO(content))
        return frame.to_crs("EPSG:4326") if frame.crs is not None else frame.set_crs("EPSG:4326")
    except (ValueError, OSError, KeyError, TypeError, pa.ArrowException, shapely.errors.ShapelyError) as error:
        raise InputError(f"{name}: is no readable GeoParquet file; export the zones again.") from error


def _ids(frame: gpd.GeoDataFrame, name: str) -> list[str]:
    column = next((column for column in ID_COLUMNS if column in frame), None)
    if column is None:
        raise InputError(f"{name}: the zones have no names; give them a property 'zone_id'.")
    if frame[column].isna().any():
        number = int(np.flatnonzero(frame[column].isna())[0]) + 1
        raise InputError(f"{name}: zone number {number} has no {column!r}; give every zone a name of its own.")
    names = frame[column].map(zone_name)
    if names.duplicated().any():
        raise InputError(f"{name}: {names[names.duplicated()].iloc[0]!r} is the name of two zones; give each its own.")
    return names.tolist()


def _polygons(frame: gpd.GeoDataFrame, name: str) -> NDArray[np.object_]:
    """Return the zones' polygons; those that cross themselves are mended."""
    shapes = frame.geometry.to_numpy()
    kinds = {shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON}
    for zone, shape in zip(frame["zone_id"], shapes, strict=True):
        if shape is None or shapely.is_empty(shape) or shapely.get_type_id(shape) not in kinds:
            raise InputError(f"{name}: zone {zone} is no area; give a polygon or several for each zone.")
        if not np.isfinite(shapely.get_coordinates(shape)).all():
            raise InputError(f"{name}: zone {zone} has a corner without coordinates; repair it.")
    return np.array([shape if shapely.is_valid(shape) else shapely.make_valid(shape) for shape in shapes], dtype=object)


def _check_place(shapes: NDArray[np.object_], name: str, city: City) -> None:
    """Raise `InputError` unless some zone lies in the city."""
    west, south, east, north = city.bounds
    town = shapely.box(west - MARGIN, south - MARGIN, east + MARGIN, north + MARGIN)
    if shapely.intersects(shapes, town).any():
        return
    if shapely.intersects(shapely.transform(shapes, lambda xy: xy[:, ::-1]), town).any():
        raise InputError(f"{name}: the zones have their coordinates swapped; write the longitude first.")
    raise InputError(
        f"{name}: no zone lies in {city.name}; it reaches from {west:.3f} to {east:.3f} degrees of longitude and from "
        f"{south:.3f} to {north:.3f} of latitude."
    )
