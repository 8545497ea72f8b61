"""Hold the options that commands share, and what stands where a checkpoint or city is not named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from htp.checkpoint import Checkpoint, shipped
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

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
Ray = Annotated[str | None, typer.Option("--ray", help="Work on a Ray cluster: local, auto or HOST:PORT.")]
Number = TypeVar("Number", int, float)
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]


def refuse_to_overwrite(path: Path, force: bool) -> None:
    """Raise `InputError` where there is something already."""
    if path.exists() and not force:
        raise InputError(f"{path} is there already; give --force to overwrite it, or another --out.")


def pair(text: str, option: str, example: str) -> tuple[str, str]:
    """Return what stands before and behind the first `=`; `InputError` where there is none."""
    role, equals, name = text.partition("=")
    if not equals:
        raise InputError(f"{option} {text!r}: write role=name, e.g. {option} {example}.")
    return role, name


def check_file(out: Path, force: bool) -> None:
    """Raise `InputError` where there is a file already, or trips cannot be written with its ending."""
    from htp.trips import check_ending

    refuse_to_overwrite(out, force)
    check_ending(out)


def two_numbers(number: Callable[[str], Number], parts: list[str], otherwise: str) -> tuple[Number, Number]:
    """Return two numbers that stand in an option; `InputError` with that sentence where they are not."""
    try:
        one, other = map(number, parts)
    except ValueError as error:
        raise InputError(otherwise) from error
    return one, other
