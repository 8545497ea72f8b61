"""Know what lies where in a checkpoint folder, and whether it is whole.

`manifest.json` holds the version and the size and SHA-256 of every file; a checkpoint with a missing, damaged or
foreign file is refused with a sentence that names it. No file of a checkpoint is a pickle.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from htp.errors import InputError
from htp.files import fingerprint_of, replacing

VERSION = 5
MANIFEST = "manifest.json"
CITIES = Path(__file__).parent / "cities"  # the checkpoints that ship; in a checkout a link to checkpoints/
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
        return self.folder / "city"

    @property
    def tokenizer(self) -> Path:
        """Stage 1: config.json and model.safetensors."""
        return self.folder / "tokenizer"

    @property
    def language(self) -> Path:
        """Stage 2: the backbone in Hugging Face layout (or its name and an adapter), and the rows of the new tokens."""
        return self.folder / "language"

    @property
    def routes(self) -> Path:
        """HTP+: the model that writes routes; a checkpoint may be without it."""
        return self.folder / "routes"

    @property
    def conditions(self) -> Path:
        """The travel-time model."""
        return self.folder / "conditions"

    @property
    def recording(self) -> Path:
        """How the trips that it learned from were recorded: interval and lengths."""
        return self.folder / "recording.json"

    @property
    def heldout(self) -> Path:
        """Trips never trained on."""
        return self.folder / "heldout.parquet"

    @property
    def card(self) -> Path:
        """The model card."""
        return self.folder / "README.md"

    @property
    def simulated(self) -> bool:
        """Whether the model card's header says `simulated: true` of the trips."""
        lines = self.card.read_text(encoding="utf-8").splitlines() if self.card.is_file() else []
        header = lines[1 : lines.index("---", 1)] if lines[:1] == ["---"] and "---" in lines[1:] else []
        return "simulated: true" in header

    def seal(self) -> None:
        """Write the manifest; call it after every change of a file. What a stopped training left is no part of it."""
        files = {str(path.relative_to(self.folder)): _describe(path) for path in self._files()}
        with replacing(self.folder / MANIFEST) as path:
            path.write_text(json.dumps({"version": VERSION, "files": files}, indent=1) + "\n", encoding="utf-8")

    def fingerprint(self, *parts: str) -> str | None:
        """Return what the files of these parts, such as `tokenizer`, are known again by; None without a manifest."""
        try:
            files = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return fingerprint_of({name: facts for name, facts in files.items() if name.split("/", 1)[0] in parts})

    def verify(self) -> None:
        """Raise `InputError` naming the first file that is missing, damaged or of another version."""
        if not self.folder.is_dir():
            raise InputError(f"{self.folder}: no such checkpoint; train one, or name the folder of one.")
        manifest = self.folder / MANIFEST
        try:
            facts = json.loads(manifest.read_text(encoding="utf-8"))
            version, files = facts["version"], dict(facts["files"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self.folder}: {MANIFEST} is missing or damaged; take a whole checkpoint.") from error
        if version != VERSION:
            raise InputError(f"{self.folder}: a checkpoint of version {version}, not {VERSION}; train it anew.")
        for name, expected in files.items():
            path = self.folder / name
            if ".." in Path(name).parts or Path(name).is_absolute():
                raise InputError(f"{manifest}: names a file outside the checkpoint ({name}); take a whole checkpoint.")
            if path.suffix.lower() in PICKLES:
                raise InputError(f"{path}: a pickle, which may run code; take a checkpoint of safetensors and JSON.")
            if not path.is_file():
                raise InputError(f"{path}: missing; this checkpoint is not complete, take a whole one.")
            if _describe(path) != expected:
                raise InputError(f"{path}: damaged (its checksum differs from {MANIFEST}); take a whole checkpoint.")

    def _files(self) -> list[Path]:
        files = (
            path
            for path in self.folder.rglob("*")
            if path.is_file() and path.name != MANIFEST and path.suffix.lower() not in PICKLES
        )
        return sorted(path for path in files if not any(p.startswith(".") for p in path.relative_to(self.folder).parts))


def _describe(path: Path) -> dict[str, int | str]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
