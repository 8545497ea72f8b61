"""Know what lies where in a checkpoint folder, and whether it is whole.

`manifest.json` holds the version and the size and SHA-256 of every file; a checkpoint with a missing, damaged or
foreign file is refused with a sentence that names it. No file of a checkpoint is a pickle, and no part of it is a link
that leads out of the folder: whoever asks for the path of a part, to read or to write, gets a sentence instead.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from htp.errors import InputError
from htp.files import fingerprint_of, force_to_disk, replacing
from htp.json_files import object_in, read_object

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

VERSION = 6
MANIFEST = "manifest.json"
CITIES = Path(__file__).parent / "cities"  # the checkpoints that ship; in a checkout a link to checkpoints/
GENERATOR = (  # what a checkpoint that generates cannot be without
    "city/city.json",
    "city/roads.parquet",
    "conditions/travel_time.json",
    "conditions/travel_time.safetensors",
    "language/language.json",
    "language/tokens.safetensors",
    "recording.json",
    "tokenizer/config.json",
    "tokenizer/model.safetensors",
)
SHOWN = 200  # letters of a name that a manifest gives
MAX_CARD_BYTES = 1 << 20  # ours; cards that HTP writes have 6 to 10 KB
PICKLES = (".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth")  # endings of files that may run code


def shipped() -> Path:
    """Return the folder of the checkpoint that comes with the package and is used wherever none is named."""
    return CITIES / "coquimbo"


def all_shipped() -> dict[str, Path]:
    """Return the checkpoints that come with the package by name, the one that is used otherwise first."""
    folders = sorted(CITIES.iterdir(), key=lambda folder: (folder.name != shipped().name, folder.name))
    return {folder.name: folder for folder in folders if (folder / MANIFEST).is_file()}


@dataclass(frozen=True)
class Checkpoint:
    """The folder of a trained generator."""

    folder: Path

    @property
    def city(self) -> Path:
        """The city folder."""
        return self._part("city")

    @property
    def tokenizer(self) -> Path:
        """Stage 1: config.json and model.safetensors."""
        return self._part("tokenizer")

    @property
    def language(self) -> Path:
        """Stage 2: the backbone in Hugging Face layout (or its name and an adapter), and the rows of the new tokens."""
        return self._part("language")

    @property
    def routes(self) -> Path:
        """HTP+: the model that writes routes; a checkpoint may be without it."""
        return self._part("routes")

    @property
    def conditions(self) -> Path:
        """The travel-time model."""
        return self._part("conditions")

    @property
    def recording(self) -> Path:
        """How the trips that it learned from were recorded: interval and lengths."""
        return self._part("recording.json")

    @property
    def heldout(self) -> Path:
        """Trips never trained on."""
        return self._part("heldout.parquet")

    @property
    def card(self) -> Path:
        """The model card."""
        return self._part("README.md")

    @property
    def card_text(self) -> str:
        """What the model card says; nothing where there is none, its beginning where it is longer than any of ours."""
        if not self.card.is_file():
            return ""
        with self.card.open("rb") as file:
            return file.read(MAX_CARD_BYTES).decode("utf-8", "replace")

    @property
    def simulated(self) -> bool:
        """Whether the model card's header says `simulated: true` of the trips."""
        lines = self.card_text.splitlines()
        header = lines[1 : lines.index("---", 1)] if lines[:1] == ["---"] and "---" in lines[1:] else []
        return "simulated: true" in header

    def seal(self) -> None:
        """Write the manifest; call it after every change of a file. What a stopped training left is no part of it.

        All files are on the disk, not only on their way, before the manifest that vouches for them has its name.
        """
        self._part("")
        files = {str(path.relative_to(self.folder)): _describe(path) for path in self._files()}
        with replacing(self.folder / MANIFEST) as path:
            path.write_text(json.dumps({"version": VERSION, "files": files}, indent=1) + "\n", encoding="utf-8")
            for name in files:
                force_to_disk(self.folder / name)

    def fingerprint(self, *parts: str) -> str | None:
        """Return what the files of these parts, such as `tokenizer`, are known again by; None without a manifest."""
        try:
            files = object_in(read_object(self._part(MANIFEST)), "files", MANIFEST)
        except InputError:
            return None
        return fingerprint_of({name: facts for name, facts in files.items() if name.split("/", 1)[0] in parts})

    def verify(self, required: Collection[str] = ()) -> None:
        """Raise `InputError` naming the first file that is missing, damaged, of another version or not in the manifest.

        `required` are the files that the manifest has to list. Nothing is read but what lies in the folder.
        """
        if not self.folder.is_dir():
            raise InputError(f"{self.folder}: no such checkpoint; train one, or name the folder of one.")
        self._part("")
        manifest = self.folder / MANIFEST
        try:
            facts = read_object(manifest)
            version, files = facts["version"], object_in(facts, "files", MANIFEST)
        except (ValueError, KeyError) as error:
            raise InputError(f"{self.folder}: {MANIFEST} is missing or damaged; take a whole checkpoint.") from error
        if version != VERSION:
            raise InputError(
                f"{self.folder}: a checkpoint of version {str(version)[:SHOWN]}, not {VERSION}; train it anew."
            )
        there = {str(path.relative_to(self.folder)): path for path in self._files()}
        for name, expected in files.items():
            self._verify_file(name, there.get(name), expected)
        if foreign := sorted(there.keys() - files.keys()):
            raise InputError(
                f"{self.folder / foreign[0]}: is not in {MANIFEST}; remove it, or take a whole checkpoint."
            )
        if lacking := sorted(set(required) - files.keys()):
            raise InputError(
                f"{manifest}: does not list {lacking[0]}; this checkpoint is not complete, take a whole one."
            )

    def _verify_file(self, name: str, found: Path | None, expected: object) -> None:
        path = self.folder / name[:SHOWN]
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise InputError(
                f"{self.folder / MANIFEST}: names a file outside the checkpoint ({name[:SHOWN]}); take a whole "
                "checkpoint."
            )
        if Path(name).suffix.lower() in PICKLES:
            raise InputError(f"{path}: a pickle, which may run code; take a checkpoint of safetensors and JSON.")
        if found is None:
            raise InputError(f"{path}: missing; this checkpoint is not complete, take a whole one.")
        if _describe(found) != expected:
            raise InputError(f"{path}: damaged (its checksum differs from {MANIFEST}); take a whole checkpoint.")

    def _part(self, name: str) -> Path:
        """Return the path of a part; `InputError` where it, or anything in it, is a link out of the checkpoint."""
        path, inside = self.folder / name, Path(os.path.realpath(self.folder))
        for link in _links(path):
            if not Path(os.path.realpath(link)).is_relative_to(inside):
                raise InputError(f"{link}: is a link out of the checkpoint; take one whose files are its own.")
        return path

    def _files(self) -> list[Path]:
        """Return what belongs into the manifest: all but itself, hidden files, and what a stopped training left."""
        files = (
            path
            for path in self.folder.rglob("*")
            if path.is_file() and path != self.folder / MANIFEST and path.suffix.lower() not in PICKLES
        )
        return sorted(path for path in files if not any(p.startswith(".") for p in path.relative_to(self.folder).parts))


def _links(path: Path) -> Iterator[Path]:
    """Yield the links at a path and below it; the checkpoint's own folder may be one."""
    if path.is_symlink():
        yield path
    yield from (one for one in path.rglob("*") if one.is_symlink())


def _describe(path: Path) -> dict[str, int | str]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
