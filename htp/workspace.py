"""Keep cities, prepared trips and checkpoints in one folder, by name, and touch nothing outside it.

WORKSPACE/
├── cities/NAME/         as `htp city` writes it
├── trips/NAME/          as `htp prepare` writes it
├── checkpoints/NAME/    as `htp train` writes it
├── incoming/            files to read that somebody has put there
└── cache/               what is made again where it is missing

A name is a plain word, so it leads nowhere else; a link that leads out of the folder is refused and not listed.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from htp.checkpoint import MANIFEST, Checkpoint
from htp.errors import InputError
from htp.json_files import MAX_NAME, read_object, text_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

DEFAULT = "htp-data"  # in the folder that the program is started from
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
INCOMING, CACHE = "incoming", "cache"


class Kind(StrEnum):
    """What the workspace holds; the value is the folder."""

    city = "cities"
    trips = "trips"
    checkpoint = "checkpoints"


WORDS = {Kind.city: "city", Kind.trips: "set of prepared trips", Kind.checkpoint: "checkpoint"}


@dataclass(frozen=True)
class Entry:
    """One thing in the workspace."""

    kind: Kind
    name: str
    folder: Path
    whole: bool  # False where the work on it was stopped or goes on
    about: str  # what is in it, in a few words
    changed: dt.datetime  # UTC
    size: int  # bytes


@dataclass(frozen=True)
class Workspace:
    """A folder of things with names."""

    folder: Path

    def entries(self, kind: Kind) -> list[Entry]:
        """Return what there is of a kind, by name; what leads out of the folder is left out."""
        there = self.folder / kind.value
        names = sorted(path.name for path in there.iterdir()) if self._is_here(there) else []
        folders = ((name, there / name) for name in names if NAME.fullmatch(name))
        found = []
        for name, folder in folders:
            with suppress(FileNotFoundError):  # somebody removes it meanwhile
                found += [_entry(kind, name, folder)] if self._holds(folder) else []
        return found

    def existing(self, kind: Kind, name: str) -> Path:
        """Return the folder of something that is there and whole; `InputError` says what there is instead."""
        found = {entry.name: entry for entry in self.entries(kind)}
        if name in found and found[name].whole:
            return found[name].folder
        whole = ", ".join(entry.name for entry in found.values() if entry.whole) or "none yet"
        state = "unfinished" if name in found else "not"
        raise InputError(f"the {WORDS[kind]} “{name[:40]}” is {state} in {self.folder}; there: {whole}.")

    def new(self, kind: Kind, name: str) -> Path:
        """Return the folder for something new; `InputError` where the name is none or is taken."""
        if not NAME.fullmatch(name):
            raise InputError(
                f"“{name[:60]}” is no name for a {WORDS[kind]}; take 1 to 40 letters a to z, digits, - and _, a letter "
                "or digit first."
            )
        folder = self.folder / kind.value / name
        self._make(folder.parent)
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()) or _is_whole(kind, folder):
            raise InputError(f"there is a {WORDS[kind]} “{name}” already; take another name.")
        return folder

    def incoming(self, endings: Sequence[str]) -> list[str]:
        """Return the names of the files in `incoming` with one of these endings."""
        there = self.folder / INCOMING
        if not self._is_here(there):
            return []
        files = sorted(path for path in there.iterdir() if path.is_file() and self._leads_inside(path))
        return [path.name for path in files if path.name.lower().endswith(tuple(endings)) and path.name[0] not in ".-"]

    def incoming_folder(self) -> Path:
        """Return the folder of the files to read, made where it is missing."""
        self._make(self.folder / INCOMING)
        return self.folder / INCOMING

    def cache_folder(self) -> Path:
        """Return the folder of what can be made again, made where it is missing."""
        self._make(self.folder / CACHE)
        return self.folder / CACHE

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot be made ({error.strerror}); start with another --workspace.") from error
        if not os.access(folder, os.W_OK):
            raise InputError(f"{folder}: nobody may write there; start with another --workspace.")
        if not self._leads_inside(folder):
            raise InputError(f"{folder}: leads out of the workspace; put a folder of its own there.")

    def _holds(self, folder: Path) -> bool:
        """Return whether a folder is there and neither it nor anything in it is a link that leads out."""
        return self._is_here(folder) and all(map(self._leads_inside, _links(folder)))

    def _is_here(self, folder: Path) -> bool:
        return folder.is_dir() and self._leads_inside(folder)

    def _leads_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.folder.resolve())


def _links(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_symlink())


def plain_name(name: str) -> str:
    """Return the name of an uploaded file without a folder or anything else that a shell or program could misread."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name.replace("\\", "/").rsplit("/", 1)[-1]).lstrip(".-") or "file"


def report_of(folder: Path) -> dict[str, Any]:
    """Return the report that `htp prepare` left beside prepared trips; `InputError` where it is none."""
    path = folder / "report.json"
    try:
        report = read_object(path)
        _about_trips(report)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is no report of `htp prepare`; prepare these trips again.") from error
    return report


def _entry(kind: Kind, name: str, folder: Path) -> Entry:
    files = [path.lstat() for path in (folder, *folder.rglob("*"))]
    changed = dt.datetime.fromtimestamp(max(file.st_mtime for file in files), dt.UTC)
    size = sum(file.st_size for file in files)
    return Entry(kind, name, folder, _is_whole(kind, folder), _about(kind, folder), changed, size)


def _is_whole(kind: Kind, folder: Path) -> bool:
    """Return whether the file is there that the command writes last."""
    if kind is Kind.checkpoint:
        try:
            return (folder / MANIFEST).is_file() and Checkpoint(folder).language.is_dir()
        except InputError:  # a link out of it
            return False
    return (folder / ("city.json" if kind is Kind.city else "report.json")).is_file()


def _about(kind: Kind, folder: Path) -> str:
    try:
        if kind is Kind.trips:
            return _about_trips(read_object(folder / "report.json"))
        return about_city(folder if kind is Kind.city else Checkpoint(folder).city)
    except (ValueError, KeyError, TypeError):
        return ""


def about_city(folder: Path) -> str:
    """Return what is in a city folder in a few words; nothing where it is none."""
    try:
        city = read_object(folder / "city.json")
        return f"{text_in(city, 'name', 'city.json', MAX_NAME)}, {city['roads']:,} roads"
    except (ValueError, KeyError, TypeError):
        return ""


def _about_trips(report: dict[str, Any]) -> str:
    return f"{report['city']['name']}, {report['kept']:,} of {report['rows']:,} trips kept"
