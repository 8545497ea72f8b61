"""Read GPX 1.0 and 1.1: every segment of every track is a trip, named by its track or its file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING

import gpxpy
import gpxpy.gpx
import numpy as np

from htp.errors import InputError
from htp.prepare.rawtrips import RawTrips

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.prepare.rawtrips import Chunk

BYTES_A_CHUNK = 4 << 20
MAX_FILE_BYTES = 128 << 20  # ours: a document is held as a whole, at some ten times its size


@dataclass
class GpxSource:
    """A GPX file, or a folder of them."""

    path: Path
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.stat().st_size for file in self._files())

    def chunks(self) -> Iterator[Chunk]:
        """Yield some files at a time."""
        files: list[Path] = []
        size = 0
        for file in self._files():
            files.append(file)
            size += file.stat().st_size
            if size >= BYTES_A_CHUNK:
                yield GpxChunk(tuple(files), size)
                files, size = [], 0
        if files:
            yield GpxChunk(tuple(files), size)

    def _files(self) -> list[Path]:
        files = sorted(self.path.rglob("*")) if self.path.is_dir() else [self.path]
        files = [file for file in files if file.suffix.lower() == ".gpx" and file.is_file()]
        if not files:
            raise InputError(f"{self.path}: the folder holds no .gpx files; give a folder of them, or other trips.")
        for file in files:
            if (size := file.stat().st_size) > MAX_FILE_BYTES:
                raise InputError(
                    f"{file}: has {size >> 20} MiB; a GPX file of at most {MAX_FILE_BYTES >> 20} MiB is read, split it."
                )
        return files


@dataclass(frozen=True)
class GpxChunk:
    """Some files."""

    files: tuple[Path, ...]
    size: int

    def parse(self) -> RawTrips:
        """Return the trips; files that are no GPX or hold no track and segments without times are dropped."""
        dropped: Counter[str] = Counter()
        ids: list[str] = []
        points: list[NDArray[np.float64]] = []
        for file in self.files:
            try:
                text = file.read_text(encoding="utf-8-sig")
                if "<!DOCTYPE" in text:  # GPX has none; it could declare entities that grow or that read other files
                    dropped["broken_file"] += 1
                    continue
                tracks = gpxpy.parse(text).tracks
                segments = [(trip_id, segment.points, _timed(segment)) for trip_id, segment in _segments(file, tracks)]
            except (gpxpy.gpx.GPXException, ValueError, OverflowError):  # the last two: encodings, zones that are none
                dropped["broken_file"] += 1
                continue
            dropped["no_points"] += not segments  # of which at least one is asked for
            for trip_id, known, timed in segments:
                if not timed or len(timed) < len(known):
                    dropped["no_time" if known else "no_points"] += 1
                    continue
                ids.append(trip_id)
                points.append(np.array(timed))
        return RawTrips.of(ids, points, +dropped)


def _timed(segment: gpxpy.gpx.GPXTrackSegment) -> list[tuple[float, float, float]]:
    """Return lon, lat and Unix seconds of the points that have a time; without a zone it is UTC, as GPX says."""
    timed = [(p, p.time if p.time.tzinfo else p.time.replace(tzinfo=UTC)) for p in segment.points if p.time]
    return [(p.longitude, p.latitude, time.timestamp()) for p, time in timed]


def _segments(file: Path, tracks: list[gpxpy.gpx.GPXTrack]) -> Iterator[tuple[str, gpxpy.gpx.GPXTrackSegment]]:
    """Yield every segment with a name that is its own within the file."""
    names = [track.name or file.stem for track in tracks]
    for number, track in enumerate(tracks):
        name = names[number] if names.count(names[number]) == 1 else f"{names[number]}-{number}"
        for piece, segment in enumerate(track.segments):
            yield name if len(track.segments) == 1 else f"{name}-{piece}", segment
