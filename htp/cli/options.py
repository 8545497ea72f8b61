"""Hold the options that commands share, and what stands where a checkpoint or city is not named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from htp.checkpoint import Checkpoint, shipped

SHIPPED = "the city that ships"


def _shipped_checkpoint() -> Path:
    """Return the checkpoint that comes with the package, and say so: no file of the user's led there."""
    print(f"{SHIPPED}: {shipped()}", file=sys.stderr)
    return shipped()


def _shipped_city() -> Path:
    return Checkpoint(_shipped_checkpoint()).city


CityFolder = Annotated[Path, typer.Option("--city", help="City folder, as `htp city` writes it.")]
CityRead = Annotated[
    Path,
    typer.Option(
        "--city",
        help="City folder, as `htp city` writes it.",
        default_factory=_shipped_city,
        show_default=SHIPPED,
    ),
]
CheckpointFolder = Annotated[Path, typer.Option("--checkpoint", help="Folder of a trained generator.")]
CheckpointRead = Annotated[
    Path,
    typer.Option(
        "--checkpoint",
        help="Folder of a trained generator.",
        default_factory=_shipped_checkpoint,
        show_default=SHIPPED,
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**61 - 1, help="The same seed gives the same trips again.")]
