"""Map `htp bench` to its function."""

# ruff: noqa: FBT002, PLC0415, T201  options are arguments, imports wait, and a command prints
from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads the annotations
from typing import Annotated

import typer

from htp.errors import InputError
from htp.progress import Bar


def bench(
    checkpoint: Annotated[Path, typer.Option(help="Folder of a trained generator.")],
    batches: Annotated[str, typer.Option(help="Trips asked for at once, a comma between the numbers.")] = "1,64,1024",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure speed and memory beside transformers.generate, the diffusion baselines and the machine's limits."""
    from htp.bench.bench import MOST, run

    words = [word.strip() for word in batches.split(",")]
    if not all(word.isdecimal() and 0 < int(word) <= MOST for word in words):
        raise InputError(
            f"--batches {batches!r}: give numbers of trips up to {MOST:,}, a comma between them, such as 1,64,1024."
        )
    sizes = tuple(sorted(set(map(int, words))))
    with Bar("measuring") as progress:
        result = run(checkpoint, sizes, device=device, progress=progress)
    if as_json:
        print(result.to_json())
    else:
        result.print()
