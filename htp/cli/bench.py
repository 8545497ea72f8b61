"""Map `htp bench` and `htp load` to their functions."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from htp.cli.options import CheckpointRead
from htp.errors import InputError
from htp.progress import Bar


def bench(
    checkpoint: CheckpointRead,
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


def load(
    url: Annotated[str, typer.Argument(help="Address of a running service, e.g. http://127.0.0.1:8000.")],
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="How long to ask for more than it can do.")] = 120.0,
    times: Annotated[float, typer.Option(min=0.1, max=100, help="How many times its capacity to ask for.")] = 2.0,
    requests: Annotated[
        int | None, typer.Option(min=1, help="Instead: so many requests for trips, one after another, to watch memory.")
    ] = None,
    trips: Annotated[int, typer.Option(min=1, help="Trips in a request to /v1/trips.")] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Put all addresses of a service under load; exit code 1 where anything but 429 goes wrong. HTP_KEY is its key."""
    import asyncio

    from htp.client import Client

    client = Client(url, key=os.environ.get("HTP_KEY"))  # says in a sentence where httpx is missing
    from htp.bench.load import Asker, overload, repeat
    from htp.bench.mix import Mix

    asker = Asker(client, Mix(client, trips, everything=requests is None))
    with Bar("asking") as progress:
        work = (
            overload(asker, times, seconds, progress) if requests is None else repeat(asker, requests, 1000, progress)
        )
        held = asyncio.run(work)
    if as_json:
        print(held.to_json())
    else:
        held.print()
    if held.failed:
        raise typer.Exit(1)
