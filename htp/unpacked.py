"""Open a file as bytes, packed by gzip, bzip2 or xz or not at all; its first bytes count, not its name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACKED: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
ENDINGS = (".gz", ".bz2", ".xz")
# ours: tables of points are packed to a tenth, trips in Parquet to a third, bombs to a thousandth; a small file may
# hold any of this
MAX_EXPANSION, SMALL_BYTES = 100, 64 << 20
MAX_DOCUMENT_BYTES = 512 << 20  # ours: of a file that is no table and so is read as a whole


def kind_of(path: Path) -> str:
    """Return the ending of a file's name in small letters, without that of its packing: `.csv` of `Rides.CSV.gz`."""
    name = path.name.lower()
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return f".{name.rpartition('.')[2]}" if "." in name else ""


def files_of_kind(path: Path, kind: str) -> list[Path]:
    """Return a file, or all files of a folder, that are of a kind as `kind_of` says it, in the order of their names."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file for file in files if kind_of(file) == kind and file.is_file()]


def most_held(path: Path) -> int:
    """Return how many bytes a file may hold once it is unpacked; one that holds more is a bomb."""
    return SMALL_BYTES + MAX_EXPANSION * path.stat().st_size


def read_document(path: Path, advice: str) -> bytes:
    """Return all bytes of a file, unpacked; `InputError` with the advice where it is too large to be held whole."""
    if path.stat().st_size > MAX_DOCUMENT_BYTES:
        raise InputError(f"{path}: has over {MAX_DOCUMENT_BYTES >> 20} MiB; {advice}.")
    with open_unpacked(path) as stream:
        return stream.read()


def is_packed(path: Path) -> bool:
    """Say whether a file is packed."""
    with path.open("rb") as stream:
        head = stream.read(6)
    return any(head.startswith(magic) for magic in PACKED)


def open_unpacked(path: Path) -> BinaryIO:
    """Open a file for reading its bytes, unpacked; reading a damaged or bursting one raises `InputError`."""
    with path.open("rb") as stream:
        head = stream.read(6)
    for magic, opener in PACKED.items():
        if head.startswith(magic):
            return cast("BinaryIO", io.BufferedReader(_Unpacked(path, cast("BinaryIO", opener(path))), 1 << 20))
    return path.open("rb")


class _Unpacked(io.RawIOBase):
    """Read a packed file, and stop where it holds far more than its size."""

    def __init__(self, path: Path, inner: BinaryIO) -> None:
        self._path, self._inner = path, inner
        self._left = most_held(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._inner.read(len(view))
        except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
            raise InputError(f"{self._path}: cannot be unpacked ({error}); get it anew.") from error
        self._left -= len(data)
        if self._left < 0:
            raise InputError(
                f"{self._path}: holds over {MAX_EXPANSION} times its size; no trips are packed like that, "
                "do not open it."
            )
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        super().close()
