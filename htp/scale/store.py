"""Keep files in a folder on disk or wherever fsspec reaches (s3://, gs://, …): a file is whole or not there.

Every file is written under a temporary name, forced to the disk and renamed. Where renaming is copying, as on S3, the
copy appears whole.
"""

from __future__ import annotations

import platform
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import fsspec
from fsspec.implementations.local import LocalFileSystem

from htp.errors import InputError, no_room
from htp.files import force_to_disk

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

TEMPORARY = ".writing-"  # readers of Parquet folders pass over names with a dot in front


@dataclass(frozen=True)
class Store:
    """A folder by its address, a path or URL; small, so that it travels to workers."""

    address: str

    def __post_init__(self) -> None:
        """Check the address; `InputError` where nothing here reaches it."""
        try:
            self._place()
        except (ImportError, ValueError) as error:
            raise InputError(
                f"{self.address}: cannot be reached ({error}); give a folder, or install the fsspec driver of its "
                "protocol, s3fs for s3://."
            ) from error

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each file, half-written ones left out; empty where there is no such folder."""
        files, folder = self._place()
        files.invalidate_cache()
        try:
            found = files.ls(folder, detail=True)
        except FileNotFoundError:
            return {}
        named = {str(one["name"]).rsplit("/", 1)[-1]: one for one in found if one["type"] == "file"}
        return {name: int(one["size"]) for name, one in named.items() if not name.startswith(TEMPORARY)}

    def read(self, name: str) -> bytes:
        """Return what a file holds."""
        files, folder = self._place()
        return bytes(files.cat_file(f"{folder}/{name}"))

    def make(self) -> None:
        """Make the folder."""
        files, folder = self._place()
        files.makedirs(folder, exist_ok=True)

    def write(self, name: str, content: bytes) -> None:
        """Write a file, over the one of that name if there is one; `InputError` where the folder is not there."""
        files, folder = self._place()
        temporary = f"{folder}/{TEMPORARY}{uuid.uuid4().hex}"
        try:
            files.pipe_file(temporary, content)
            if isinstance(files, LocalFileSystem):
                force_to_disk(Path(temporary))
        except FileNotFoundError as error:
            raise InputError(
                f"{self.address}: {platform.node()} sees no such folder; give one that all machines share, or a URL."
            ) from error
        except OSError as error:
            if sentence := no_room(error):
                files.rm_file(temporary)  # half a file would take what room there is
                raise InputError(f"{self.address}/{name}: {sentence}") from error
            raise
        files.mv(temporary, f"{folder}/{name}")

    def remove(self, name: str) -> None:
        """Remove a file."""
        files, folder = self._place()
        files.rm_file(f"{folder}/{name}")

    def sweep(self) -> None:
        """Remove what dead writers left half-written; only once nobody writes here any more."""
        files, folder = self._place()
        files.invalidate_cache()
        names = [str(one["name"]) for one in files.ls(folder, detail=True)]
        for name in names:
            if name.rsplit("/", 1)[-1].startswith(TEMPORARY):
                files.rm_file(name)

    def _place(self) -> tuple[AbstractFileSystem, str]:
        files, folder = fsspec.core.url_to_fs(self.address)
        return files, folder.rstrip("/")
