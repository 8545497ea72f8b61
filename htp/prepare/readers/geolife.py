"""Read GeoLife's folders of `.plt` files: a file a trip, named by its person and itself, times in GMT.

39.906631,116.385564,0,492,40097.5864583333,2009-10-11,14:04:30      after six lines that say nothing of it
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htp.prepare.rawtrips import RawTrips
from htp.prepare.readers.times import parse_times
from htp.unpacked import files_of_kind, open_unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.prepare.rawtrips import Chunk

HEAD_LINES = 6
FILES_A_CHUNK = 200


@dataclass
class GeolifeSource:
    """A `.plt` file, or a folder of them."""

    path: Path
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.stat().st_size for file in self._files())

    def chunks(self) -> Iterator[Chunk]:
        """Yield some files at a time."""
        files = self._files()
        for start in range(0, len(files), FILES_A_CHUNK):
            some = tuple(files[start : start + FILES_A_CHUNK])
            yield GeolifeChunk(some, tuple(map(self._name, some)), sum(file.stat().st_size for file in some))

    def _files(self) -> list[Path]:
        return files_of_kind(self.path, ".plt")

    def _name(self, file: Path) -> str:
        """Return `000-20081023025304` for 000/Trajectory/20081023025304.plt."""
        folders = file.relative_to(self.path).parts[:-1] if self.path.is_dir() else ()
        return "-".join([*(one for one in folders if one not in ("Data", "Trajectory")), file.name.partition(".")[0]])


@dataclass(frozen=True)
class GeolifeChunk:
    """Some files."""

    files: tuple[Path, ...]
    names: tuple[str, ...]
    size: int

    def parse(self) -> RawTrips:
        """Return the trips; files without points are dropped, values that cannot be read are NaN."""
        ids: list[str] = []
        points: list[NDArray[np.float64]] = []
        dropped: Counter[str] = Counter()
        examples: dict[str, str] = {}
        for file, name in zip(self.files, self.names, strict=True):
            with open_unpacked(file) as stream:
                lines = stream.read().decode("utf-8", "replace").splitlines()[HEAD_LINES:]
            cells = pd.Series([line for line in lines if line.strip()], dtype=str).str.split(",", expand=True)
            if cells.empty:
                dropped["no_points"] += 1
                examples.setdefault("no_points", file.name)
                continue
            cells = cells.reindex(columns=range(7)).fillna("").astype(str)
            lonlat = [pd.to_numeric(cells[place], errors="coerce").to_numpy(dtype=np.float64) for place in (1, 0)]
            time_s = parse_times(cells[5].str.strip() + " " + cells[6].str.strip(), "UTC")
            bad = np.isnan(time_s) | np.isnan(lonlat).any(axis=0)
            if bad.any():
                shown = ",".join(cells.iloc[int(np.argmax(bad))])[:60]
                reason = "unread_time" if np.isnan(time_s[np.argmax(bad)]) else "unread_position"
                examples.setdefault(reason, f"{shown!r} in {file.name}")
            ids.append(name)
            points.append(np.column_stack([*lonlat, time_s]))
        return RawTrips.of(ids, points, dropped, examples)
