"""Know what lies where in the folder of an experiment, and what of it was finished for which settings.

RESULTS/
├── results/trajvae-seed0.json     a result: settings, data, times, metrics
├── models/trajvae-seed0/          as the method saves itself, and beside it a note of its training
├── trips/trajvae-seed0.parquet    as it generates them, and beside it a note of the time it took
├── trips/real.parquet             the held-out trips
├── trips/htp-seed0-times.parquet  one route at three times of day
├── codebooks/32-64-128-256.json   the loss of a tokenizer with such codebooks
├── speed.json                     milliseconds a trip of all methods, measured side by side
├── shared/                        what several methods start from: node2vec
├── city/                          the city folder, for the maps
└── report/                        tables and figures
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from htp.files import replacing
from htp.json_files import read_object
from htp.methods.registry import slug

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The folder of an experiment."""

    folder: Path

    @property
    def city(self) -> Path:
        """The city folder."""
        return self.folder / "city"

    @property
    def real(self) -> Path:
        """The held-out trips that the methods were asked for."""
        return self.folder / "trips" / "real.parquet"

    @property
    def shared(self) -> Path:
        """What several methods start from."""
        return self.folder / "shared"

    @property
    def speed(self) -> Path:
        """Times of all methods, measured side by side."""
        return self.folder / "speed.json"

    @property
    def report(self) -> Path:
        """Tables and figures."""
        return self.folder / "report"

    def result(self, stem: str) -> Path:
        """Return the file of a result."""
        return self.folder / "results" / f"{stem}.json"

    def results(self) -> list[Path]:
        """Return the files of all results, in the order of their names."""
        return sorted(path for path in (self.folder / "results").glob("*.json") if not path.name.startswith("."))

    def model(self, stem: str) -> Path:
        """Return the folder of a trained method."""
        return self.folder / "models" / stem

    def trips(self, stem: str) -> Path:
        """Return the file of generated trips."""
        return self.folder / "trips" / f"{stem}.parquet"

    def times(self, stem: str) -> Path:
        """Return the file of one route at three times of day."""
        return self.folder / "trips" / f"{stem}-times.parquet"

    def codebooks(self, name: str) -> Path:
        """Return the file of a tokenizer's loss with codebooks of such sizes."""
        return self.folder / "codebooks" / f"{name}.json"


def stem_of(method: str, seed: int) -> str:
    """Return what the files of a method and a seed are called: `w/o LLM` and 1 are `w-o-llm-seed1`."""
    return f"{slug(method)}-seed{seed}"


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON; the file appears whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def note_of(made: Path) -> Path:
    """Return the note beside a model or trips; it is written last, so it is there only where they are whole."""
    return made.with_name(f"{made.name.removesuffix('.parquet')}.json")


def read_note(made: Path, key: str) -> dict[str, Any] | None:
    """Return the note beside a model or trips; None where they are missing, unfinished or made for another key."""
    facts = read_json(note_of(made))
    return facts if made.exists() and facts is not None and facts.get("key") == key else None


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what a file holds; None where it is missing, damaged or no object."""
    try:
        facts = read_object(path)
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None
