"""Read SUMO's floating car data (`--fcd-output` with `--fcd-output.geo`): where each vehicle is at every time step.

    <timestep time="28800.00"><vehicle id="veh0" x="-71.252126" y="-29.967735"/></timestep>

Times count from the start of the simulation, so that a first day has to be given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

import pyarrow as pa

from htp.errors import InputError
from htp.prepare.options import ROLES, Hints
from htp.prepare.readers.points_csv import PointsChunk, Reading
from htp.prepare.readers.xml_text import xml_text
from htp.unpacked import read_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from htp.prepare.rawtrips import Chunk


@dataclass
class SumoSource:
    """A file of floating car data."""

    path: Path
    timezone: str  # of the first day
    hints: Hints = field(default_factory=Hints)
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    def chunks(self) -> Iterator[Chunk]:
        """Yield all points at once."""
        content = read_document(self.path, "make it a CSV with SUMO's xml2csv.py")
        rows: list[tuple[str, ...]] = []
        time = ""

        def start(tag: str, attributes: dict[str, str]) -> None:
            nonlocal time
            if tag == "timestep":
                time = attributes.get("time", "")
            elif tag in ("vehicle", "person", "container") and attributes.get("id"):
                rows.append((attributes["id"], time, attributes.get("x", ""), attributes.get("y", "")))

        parser = expat.ParserCreate()
        parser.StartElementHandler = start
        try:
            parser.Parse(xml_text(content), True)
        except (expat.ExpatError, ValueError) as error:
            if not rows:
                raise InputError(f"{self.path}: is no floating car data of SUMO ({error}).") from error
            self.notes.append(f"{self.path.name}: is cut off ({error}); took what comes before.")
        if rows:
            table = pa.table(list(zip(*rows, strict=True)), names=list(ROLES))
            yield PointsChunk(table, Reading(self.timezone, self.hints.first_day, self.hints.crs), self.size)
