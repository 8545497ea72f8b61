"""Map `htp serve` and `htp key` to functions."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from htp.cli.options import CheckpointRead
from htp.errors import InputError

if TYPE_CHECKING:
    from htp.serve.application import ServedCheckpoint

NEEDS = ("fastapi", "uvicorn", "prometheus_client", "asgi_correlation_id")
ShareHeldout = Annotated[
    bool, typer.Option("--share-heldout", help="Give out the held-out trips, which the app compares to.")
]
LOCAL = {"127.0.0.1", "::1", "localhost"}


def serve(
    checkpoint: CheckpointRead,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0: every one of this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    keys: Annotated[Path | None, typer.Option(help="File of hashed API keys, see `htp key`; without: no keys.")] = None,
    allow_origin: Annotated[
        list[str] | None, typer.Option(help="Site whose pages may call the service, e.g. https://maps.example.")
    ] = None,
    max_trips: Annotated[int, typer.Option(min=1, max=1_000_000, help="Trips in one request at most.")] = 1000,
    queue: Annotated[int, typer.Option(min=1, help="Trips that may wait, all requests together.")] = 5000,
    batch: Annotated[int, typer.Option(min=1, max=1024, help="Trips generated at once at most.")] = 64,
    deadline: Annotated[float, typer.Option(help="Seconds a request may take.")] = 60.0,
    share_heldout: ShareHeldout = False,
    ray: Annotated[str | None, typer.Option(help="Serve on a Ray cluster: local, auto or HOST:PORT.")] = None,
    replicas: Annotated[str, typer.Option(help="With --ray: how many at least and at most, e.g. 2-8.")] = "1-4",
) -> None:
    """Serve a generator over HTTP; SIGTERM or Ctrl-C finishes what was taken on."""
    _check_installed()
    from htp.serve.admission import ServiceSettings
    from htp.serve.application import ServedCheckpoint
    from htp.serve.keys import Keys
    from htp.serve.server import run

    settings = ServiceSettings(
        max_trips=max_trips,
        queue_trips=queue,
        batch_trips=batch,
        deadline_s=deadline,
        allow_origins=tuple(allow_origin or ()),
        share_heldout=share_heldout,
    )
    served = ServedCheckpoint(checkpoint, device, settings, None if keys is None else Keys.load(keys))
    _warn_if_open(host, port, has_keys=keys is not None)
    if ray is None:
        run(served, host, port)
    else:
        _run_on(ray, served, replicas, host, port)


def _run_on(ray: str, served: ServedCheckpoint, replicas: str, host: str, port: int) -> None:
    from htp.scale import Scaling
    from htp.serve.server import run_on

    least, _, most = replicas.partition("-")
    if not (least.isdecimal() and most.isdecimal()):
        raise InputError(f"--replicas {replicas!r}: write how many at least and at most, e.g. 2-8.")
    run_on(ray, served, Scaling(int(least), int(most)), host, port)


def _warn_if_open(host: str, port: int, *, has_keys: bool) -> None:
    if not has_keys and host not in LOCAL:
        print(f"htp: everybody who reaches {host}:{port} may ask; --keys FILE changes that.", file=sys.stderr)


def _check_installed() -> None:
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        raise InputError(f"`htp serve` needs {', '.join(missing)}; install them with `pip install 'htp[serve]'`.")


def key(name: Annotated[str, typer.Argument(help="Whose key it is: one word, shown in the log.")]) -> None:
    """Make an API key: the key on standard error, the line for the file of `htp serve --keys` on standard output."""
    from htp.serve.keys import new_key

    secret, line = new_key(name)
    print(f"the key of {name}, shown only now: {secret}", file=sys.stderr)
    print(line)


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(serve)
    app.command()(key)
