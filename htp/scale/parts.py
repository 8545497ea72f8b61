"""Keep the results of a job as parts, and in `_manifest.json` what the job was and which parts are whole.

    folder/
      part-000000.parquet …    a table of trips each, the same whoever makes it
      _manifest.json           the job's settings, and of each part its rows, bytes and SHA-256

The manifest is written by the one who hands out the work, now and then and at the end, and names only parts that are
whole. A rerun makes those that it does not name; a rerun with other settings is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from htp.errors import InputError
from htp.files import fingerprint_of
from htp.json_files import MAX_BYTES, object_in, parse_object
from htp.trips import PARQUET, to_arrow

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from htp.scale.store import Store

MANIFEST = "_manifest.json"  # readers of Parquet folders pass over names that begin like this
PART = re.compile(r"part-\d{6,}\.parquet")
SAVE_EVERY_S = 5.0  # ours: what a killed program has to make again


@dataclass(frozen=True)
class PartRecord:
    """What is known of a part that is whole."""

    rows: int
    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        """Check what may have been read; `TypeError` where something is of another kind."""
        if [type(value) for value in (self.rows, self.bytes, self.sha256)] != [int, int, str]:
            raise TypeError("a part has whole numbers of rows and bytes, and the text of a checksum")


def part_name(number: int) -> str:
    """Return the file name of a part; their order is that of the trips."""
    return f"part-{number:06d}.parquet"


def write_part(store: Store, number: int, trips: gpd.GeoDataFrame) -> PartRecord:
    """Write a table of trips as a part; called by workers."""
    buffer = io.BytesIO()
    pq.write_table(to_arrow(trips), buffer, **PARQUET)
    content = buffer.getvalue()
    store.write(part_name(number), content)
    return PartRecord(len(trips), len(content), hashlib.sha256(content).hexdigest())


def forget(store: Store) -> None:
    """Remove a job's parts and manifest from a folder, and nothing else."""
    names = store.sizes()
    for name in names:
        if PART.fullmatch(name) or name == MANIFEST:
            store.remove(name)
    if names:
        store.sweep()


class Parts:
    """The parts of one job in a folder."""

    def __init__(self, store: Store, job: Mapping[str, str | int | float | None], count: int) -> None:
        """Take up the job where it stands; `InputError` where the folder holds another one, or other files.

        `job` is all that the result depends on, `count` the number of parts.
        """
        self.store, self.job, self.count = store, dict(job), count
        self.done: dict[int, PartRecord] = {}
        store.make()
        sizes = store.sizes()
        if MANIFEST in sizes:
            self.done = self._whole(sizes)
        elif sizes:
            raise InputError(f"{store.address}: holds files of something else; give another --out.")
        self.save()

    @property
    def missing(self) -> list[int]:
        """The numbers of the parts that are still to be made."""
        return [number for number in range(self.count) if number not in self.done]

    @property
    def rows(self) -> int:
        """The trips in the parts that are whole."""
        return sum(part.rows for part in self.done.values())

    def add(self, number: int, part: PartRecord) -> None:
        """Note that a part is whole."""
        self.done[number] = part
        if time.monotonic() - self._saved_s > SAVE_EVERY_S:
            self.save()

    def save(self) -> None:
        """Write the manifest."""
        facts = {
            "job": self.job,
            "fingerprint": fingerprint_of(self.job),
            "complete": not self.missing,
            "trips": self.rows,
            "count": self.count,
            "parts": {part_name(number): asdict(self.done[number]) for number in sorted(self.done)},
        }
        self.store.write(MANIFEST, (json.dumps(facts, indent=1) + "\n").encode())
        self._saved_s = time.monotonic()

    def check(self) -> None:
        """Read every part back; `InputError` names the first whose content is not what was written."""
        for number, part in sorted(self.done.items()):
            if hashlib.sha256(self.store.read(part_name(number))).hexdigest() != part.sha256:
                raise InputError(
                    f"{self.store.address}/{part_name(number)}: damaged (its checksum differs from {MANIFEST}); "
                    "remove it and run the command again."
                )

    def _whole(self, sizes: Mapping[str, int]) -> dict[int, PartRecord]:
        """Return the parts that an earlier run finished and that are still there."""
        try:
            if sizes[MANIFEST] > MAX_BYTES:
                raise ValueError(f"{sizes[MANIFEST]} bytes")  # noqa: TRY301  said below as whatever else is wrong
            facts = parse_object(self.store.read(MANIFEST), MANIFEST)
            job, parts = (object_in(facts, name, MANIFEST) for name in ("job", "parts"))
            known = {name: PartRecord(**part) for name, part in parts.items()}
            same = facts["fingerprint"] == fingerprint_of(self.job)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{self.store.address}/{MANIFEST}: damaged; give --force to make all parts anew."
            ) from error
        if not same:
            raise InputError(
                f"{self.store.address}: holds parts of another job ({_difference(job, self.job)}); give another --out, "
                "or --force to make it anew."
            )
        numbered = {number: known.get(part_name(number)) for number in range(self.count)}
        return {n: part for n, part in numbered.items() if part and sizes.get(part_name(n)) == part.bytes}


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return in words the first setting that is not the same."""
    name = next((name for name in (*now, *before) if before.get(name) != now.get(name)), "settings")
    return f"{name} {before.get(name)}, not {now.get(name)}"
