"""Map `htp audit` to its function."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from htp.cli.options import CheckpointRead
from htp.progress import Bar


def audit(
    checkpoint: CheckpointRead,
    train: Annotated[Path, typer.Option(help="Prepared trips that it was trained on.")],
    generated: Annotated[Path, typer.Option(help="Trips that it generated.")],
    heldout: Annotated[Path, typer.Option(help="Prepared trips that it was never trained on.")],
    sample: Annotated[int, typer.Option(min=50, help="Trips of either that the models are asked about.")] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads that search; one a core by default.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**61 - 1, help="The same seed draws the same trips.")] = 0,
) -> None:
    """Say what a checkpoint and its trips give away of the trips it was trained on."""
    from htp.evaluate.privacy import audit as run

    with Bar("auditing") as progress:
        result = run(
            checkpoint, train, generated, heldout, sample=sample, workers=workers, seed=seed, progress=progress
        )
    if as_json:
        print(result.to_json())
    else:
        result.print()
