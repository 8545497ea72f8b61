"""Read what a map shows beside roads from an OpenStreetMap extract: areas, coastlines and the names of places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import osmium
import shapely

from htp.city.landscape import BUILT, PARK, PLACE, WATER, Feature, sea_from_coastlines

if TYPE_CHECKING:
    from pathlib import Path

    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

AREAS = {  # which tags make an area of a kind, the first that fits
    WATER: {
        "natural": {"water", "bay"},
        "waterway": {"riverbank", "dock"},
        "landuse": {"reservoir", "basin"},
    },
    PARK: {
        "leisure": {"park", "garden", "golf_course", "nature_reserve"},
        "landuse": {"forest", "grass", "recreation_ground", "cemetery", "meadow", "village_green"},
        "natural": {"wood", "grassland", "beach"},
    },
    BUILT: {"landuse": {"residential", "commercial", "industrial", "retail", "education", "institutional"}},
}
RANKS = {"city": 0, "town": 1, "suburb": 2, "borough": 2, "village": 3, "quarter": 3, "neighbourhood": 4}
KEYS = ("natural", "waterway", "landuse", "leisure", "place")


def land_cover(path: Path, box: Polygon) -> list[Feature]:
    """Return what an `.osm.pbf` or `.osm` file has beside roads within a box (degrees), nothing where it has nothing.

    Areas whose outline the file has in part only are left out.
    """
    features: list[Feature] = []
    coastlines: list[BaseGeometry] = []
    wkb = osmium.geom.WKBFactory()
    chosen = osmium.filter.KeyFilter(*KEYS)
    for thing in osmium.FileProcessor(path).with_areas(chosen).with_filter(chosen):
        tags = dict(thing.tags)
        name = tags.get("name", "")
        if isinstance(thing, osmium.osm.Node):
            rank = RANKS.get(tags.get("place", ""))
            if rank is not None and name and thing.location.valid():
                features.append((PLACE, name, rank, shapely.Point(thing.location.lon, thing.location.lat)))
        elif isinstance(thing, osmium.osm.Way) and tags.get("natural") == "coastline":
            corners = [(node.lon, node.lat) for node in thing.nodes if node.location.valid()]
            coastlines += [shapely.LineString(corners)] if len(corners) > 1 else []
        elif isinstance(thing, osmium.osm.Area) and (kind := _kind(tags)):
            features.append((kind, name, 0, shapely.from_wkb(wkb.create_multipolygon(thing))))
    return features + sea_from_coastlines(coastlines, box)


def has_land_cover(path: Path) -> bool:
    """Say whether a file has anything beside roads."""
    return any(True for _ in osmium.FileProcessor(path).with_filter(osmium.filter.KeyFilter(*KEYS)))


def _kind(tags: dict[str, str]) -> str | None:
    return next(
        (kind for kind, keys in AREAS.items() if any(tags.get(key) in values for key, values in keys.items())), None
    )
