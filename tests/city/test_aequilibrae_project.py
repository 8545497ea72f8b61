"""Check the geometry blobs of a SpatiaLite database, written here byte by byte."""

from __future__ import annotations

import struct

import shapely

from htp.city.aequilibrae_project import line_from_spatialite, polygons_from_spatialite


def blob_of(body: bytes) -> bytes:
    """Return a SpatiaLite blob: start, little-endian, EPSG:4326, bounds (not read), the mark 0x7C, a body, the end."""
    return b"\x00\x01" + struct.pack("<i4d", 4326, 0, 0, 1, 1) + b"\x7c" + body + b"\xfe"


def ring(*points: tuple[float, float]) -> bytes:
    return struct.pack("<I", len(points)) + b"".join(struct.pack("<2d", *point) for point in points)


def test_a_line_is_read():
    points = [(-71.3, -29.9), (-71.2, -29.8), (-71.1, -29.8)]
    blob = blob_of(struct.pack("<I", 2) + ring(*points))
    assert list(line_from_spatialite(blob).coords) == points


def test_polygons_with_holes_are_read():
    outside, hole = [(0, 0), (9, 0), (9, 9), (0, 0)], [(5, 1), (6, 1), (6, 2), (5, 1)]
    far = [(20, 0), (21, 0), (21, 1), (20, 0)]
    first = b"\x69" + struct.pack("<2I", 3, 2) + ring(*outside) + ring(*hole)
    second = b"\x69" + struct.pack("<2I", 3, 1) + ring(*far)
    polygons = polygons_from_spatialite(blob_of(struct.pack("<2I", 6, 2) + first + second))
    assert polygons == shapely.MultiPolygon([(outside, [hole]), (far, [])])
