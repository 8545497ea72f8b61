"""Read the ways that can be driven, and where their nodes lie, from an OpenStreetMap extract or an answer of Overpass.

Ways and nodes may come in any order, with any ids, several times or in several versions: the newest of each counts. A
way may carry the places of its nodes itself (Overpass's `out geom`). What was deleted is not read.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import osmium

from htp.city.simplify import DEFAULT_SPEED_KMH
from htp.errors import InputError
from htp.unpacked import open_unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DRIVABLE = frozenset(DEFAULT_SPEED_KMH)
XML_ENDINGS = (".osm", ".osm.gz", ".osm.bz2", ".osh", ".osh.gz", ".osh.bz2")
EXTRACT_ENDINGS = (".osm.pbf", ".osh.pbf", ".pbf", *XML_ENDINGS)
OVERPASS_ENDINGS = (".osm.json", ".json", ".osm.json.gz", ".json.gz")
DELETED = re.compile(rb"""<(node|way)\b(?=[^>]*\baction=["']delete["'])[^>]*\bid=["'](-?\d+)["']""")
SCAN_BYTES = 1 << 22


@dataclass(frozen=True)
class Way:
    """One version of a way."""

    id: int
    version: int
    nodes: tuple[int, ...]
    tags: dict[str, str]
    visible: bool = True

    @property
    def is_drivable(self) -> bool:
        """Whether cars drive on it, by its class alone."""
        return self.visible and self.tags.get("highway") in DRIVABLE and self.tags.get("area") != "yes"


@dataclass
class Extract:
    """Ways that can be driven, and where their nodes lie."""

    ways: dict[int, Way] = field(default_factory=dict)
    places: dict[int, tuple[float, float]] = field(default_factory=dict)  # node -> lon, lat in degrees

    def add(self, way: Way) -> None:
        """Take a way, unless a newer version is there, or as old a one that says more."""
        other = self.ways.get(way.id)
        if other is None or (way.version, len(way.tags)) >= (other.version, len(other.tags)):
            self.ways[way.id] = way

    def drivable(self) -> list[Way]:
        """Return the ways for cars, as the file has them."""
        return [way for way in self.ways.values() if way.is_drivable]

    def needs(self) -> set[int]:
        """Return the nodes of ways for cars whose places are not known."""
        return {node for way in self.drivable() for node in way.nodes} - self.places.keys()

    def missing(self) -> str:
        """Return in a sentence what the file lacks, nothing where it lacks nothing."""
        if not (lacking := self.needs()):
            return ""
        cut = sum(not lacking.isdisjoint(way.nodes) for way in self.drivable())
        return f"{len(lacking):,} nodes of {cut:,} streets are missing in it; these streets are cut there."


def read_extract(path: Path) -> Extract:
    """Read an `.osm.pbf` or `.osm` file, packed or with its history or not; `InputError` where it is no such file."""
    extract = Extract()
    try:
        deleted = _deleted(path) if path.name.lower().endswith(XML_ENDINGS) else {b"way": set(), b"node": set()}
        for way in _things(path, osmium.osm.WAY, of_roads=not _may_repeat(path)):
            visible = way.visible and way.id not in deleted[b"way"]
            nodes = tuple(node.ref for node in way.nodes)
            extract.add(Way(way.id, way.version, nodes, dict(way.tags), visible))
            places = ((node.ref, node.location) for node in way.nodes)
            extract.places.update((ref, (at.lon, at.lat)) for ref, at in places if at.valid())
        needs = extract.needs()
        newest: dict[int, int] = {}
        for node in _things(path, osmium.osm.NODE, ids=needs) if needs else ():
            if node.id not in needs or node.version < newest.get(node.id, 0):
                continue
            newest[node.id] = node.version
            extract.places.pop(node.id, None)
            if node.visible and node.id not in deleted[b"node"] and node.location.valid():
                extract.places[node.id] = (node.location.lon, node.location.lat)
    except (RuntimeError, InputError) as error:  # osmium's, for whatever it cannot read
        raise InputError(f"{path}: not a readable OpenStreetMap file ({error}); give a whole extract.") from error
    return extract


def read_overpass(path: Path) -> Extract:
    """Read a JSON answer of Overpass; `InputError` where it is none."""
    extract = Extract()
    try:
        with open_unpacked(path) as stream:
            elements = json.load(stream)["elements"]
        for one in elements:
            if one["type"] == "node" and "lat" in one:
                extract.places[one["id"]] = (float(one["lon"]), float(one["lat"]))
            if one["type"] == "way":
                _add_overpass_way(extract, one)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path}: is no JSON answer of Overpass; ask it with [out:json] for the ways and their nodes."
        ) from error
    return extract


def _add_overpass_way(extract: Extract, one: dict[str, Any]) -> None:
    """Take a way; one that comes with its line but without its nodes is joined to others where they meet."""
    line = one.get("geometry") or []
    corners = [(float(at["lon"]), float(at["lat"])) if at else None for at in line]
    nodes = one.get("nodes") or [hash(at) for at in corners]
    extract.add(Way(one["id"], int(one.get("version", 0)), tuple(nodes), one.get("tags") or {}))
    extract.places.update((node, at) for node, at in zip(nodes, corners, strict=False) if at)


def _may_repeat(path: Path) -> bool:
    """Say whether a file may hold several versions of a way, or several pieces of what is known of it."""
    return path.name.lower().endswith(XML_ENDINGS) or is_history(path)


def is_history(path: Path) -> bool:
    """Say whether a file holds what things were like before."""
    if ".osh" in path.suffixes:
        return True
    with osmium.io.Reader(path) as reader:
        return bool(reader.header().has_multiple_object_versions)


def _things(path: Path, kind: Any, *, of_roads: bool = False, ids: set[int] | None = None) -> Iterator[Any]:
    """Yield what there is of a kind; filters by tag and id, where they serve, keep most of it out of Python."""
    things = osmium.FileProcessor(path, kind)
    if of_roads:
        things = things.with_filter(osmium.filter.KeyFilter("highway"))
    if ids and min(ids) >= 0:
        things = things.with_filter(osmium.filter.IdFilter(ids))
    return iter(things)


def _deleted(path: Path) -> dict[bytes, set[int]]:
    """Return the ways and nodes that an editor (JOSM) has marked as deleted, which osmium reads like all others."""
    found: dict[bytes, set[int]] = {b"way": set(), b"node": set()}
    rest = b""
    with open_unpacked(path) as stream:
        while block := stream.read(SCAN_BYTES):
            whole, end, rest = (rest + block).rpartition(b">")
            for kind, number in DELETED.findall(whole + end):
                found[kind].add(int(number))
    return found
