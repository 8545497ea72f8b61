"""Read GPX 1.0 and 1.1: every track is a trip, named by itself or its file, and nothing but places and times is read.

A file is read as a stream of tags, whatever their namespace's prefix: extensions, waypoints and what stands in them are
passed over, a point that lacks its time or place costs itself, and what comes before a break is kept. The segments of
a track follow each other where its times say so; otherwise each is a trip.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.parsers import expat

import numpy as np
import pandas as pd

from htp.errors import InputError
from htp.prepare.rawtrips import RawTrips
from htp.prepare.readers.times import parse_times
from htp.prepare.readers.xml_text import xml_text
from htp.unpacked import files_of_kind, open_unpacked

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
        files = files_of_kind(self.path, ".gpx")
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
        """Return the trips; files that are no GPX or hold no track and tracks without times are dropped."""
        found = _Found()
        for file in self.files:
            document = _Document(file)
            if document.error:
                found.drop("broken_file", f"{file.name}: {document.error}")
                if not document.tracks:
                    continue
            if not any(track.segments for track in document.tracks):
                found.drop("no_points", file.name)  # of which at least one is asked for
            names = [track.name or file.name.partition(".")[0] for track in document.tracks]
            count = Counter(names)
            for number, (name, track) in enumerate(zip(names, document.tracks, strict=True)):
                found.add(name if count[name] == 1 else f"{name}-{number}", track)
        left_out = +found.left_out
        raw = RawTrips.of(found.ids, found.points, +found.dropped, found.examples)
        return RawTrips(raw.trip_id, raw.count, raw.lonlat, raw.time_s, raw.dropped, left_out, raw.examples)


@dataclass
class _Track:
    """A track, or a route: its segments' points as text of longitude, latitude and time, None where one is missing."""

    name: str = ""
    segments: list[list[tuple[str | None, str | None, str | None]]] = field(default_factory=list)


class _Document:
    """The tracks of a file, up to where it breaks."""

    def __init__(self, file: Path) -> None:
        self.tracks: list[_Track] = []
        self.error = ""
        self._open: list[str] = []  # names of the tags around, without their prefixes
        self._text = ""
        self._time: str | None = None
        self._place: tuple[str | None, str | None] = (None, None)
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            with open_unpacked(file) as stream:
                parser.Parse(xml_text(stream.read()), True)
        except (expat.ExpatError, ValueError, InputError) as error:
            self.error = str(error)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name in ("trk", "rte"):
            self.tracks.append(_Track())
        if name in ("trkseg", "rte") and self.tracks:
            self.tracks[-1].segments.append([])
        if name in ("trkpt", "rtept"):
            self._place, self._time = (attributes.get("lon"), attributes.get("lat")), None
        self._open.append(name)
        self._text = ""

    def _end(self, _: str) -> None:
        name = self._open.pop()
        around = self._open[-1] if self._open else ""
        if name == "time" and around in ("trkpt", "rtept"):
            self._time = self._text.strip()
        elif name == "name" and around in ("trk", "rte"):
            self.tracks[-1].name = self._text.strip()
        elif name in ("trkpt", "rtept") and around in ("trkseg", "rte") and self.tracks:
            self.tracks[-1].segments[-1].append((*self._place, self._time))
        self._text = ""

    def _characters(self, text: str) -> None:
        self._text += text


class _Found:
    """The trips of some files, and what was left out of them."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.points: list[NDArray[np.float64]] = []
        self.dropped: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def drop(self, reason: str, shown: str) -> None:
        """Count what is no trip."""
        self.dropped[reason] += 1
        self.examples.setdefault(reason, shown)

    def add(self, name: str, track: _Track) -> None:
        """Take the track as a trip, or its segments, or count why it is none."""
        segments = []
        for number, texts in enumerate(track.segments):
            label = name if len(track.segments) == 1 else f"{name}-{number}"
            if not texts:
                self.drop("no_points", f"trip {label}")
            elif not any(time for _, _, time in texts):
                self.drop("no_time", f"trip {label}")
            else:
                segments.append((label, self._read(label, texts)))
        timed = [points[np.isfinite(points[:, 2]), 2] for _, points in segments]
        timed = [time_s for time_s in timed if len(time_s)]
        if len(segments) > 1 and all(a.max() < b.min() for a, b in pairwise(timed)):
            segments = [(name, np.concatenate([points for _, points in segments]))]
        for label, points in segments:
            self.ids.append(label)
            self.points.append(points)

    def _read(self, label: str, texts: list[tuple[str | None, str | None, str | None]]) -> NDArray[np.float64]:
        """Return lon, lat and Unix seconds of a segment's points that have a time, [T, 3]; NaN for what is none."""
        timed = [texts[place] for place in range(len(texts)) if texts[place][2]]
        if len(timed) < len(texts):
            self.left_out["no_time"] += len(texts) - len(timed)
            self.examples.setdefault("no_time", f"a point of trip {label}")
        lon, lat, time = (pd.Series(values, dtype=object) for values in zip(*timed, strict=True))
        time_s = parse_times(time.astype(str), "UTC")  # without a zone it is UTC, as GPX says
        plain = [one.astype(str).str.replace(",", ".", regex=False) for one in (lon, lat)]  # some write a decimal comma
        xy = np.column_stack([pd.to_numeric(one, errors="coerce").to_numpy(dtype=np.float64) for one in plain])
        places = [f"lon={a} lat={b}" for a, b in zip(lon, lat, strict=True)]
        unplaced = ~np.isfinite(xy).all(axis=1)
        for reason, bad, shown in (("unread_time", np.isnan(time_s), time), ("unread_position", unplaced, places)):
            if bad.any():
                self.examples.setdefault(reason, f"{shown[int(np.argmax(bad))][:60]!r} in trip {label}")
        return np.column_stack([xy, time_s])
