"""Map `htp generate` to functions."""

from __future__ import annotations

import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from htp.cli.options import CheckpointRead, Force, Ray, Seed, check_file, two_numbers
from htp.errors import InputError
from htp.progress import Bar

if TYPE_CHECKING:
    from htp.generate_files import Like


class Plus(StrEnum):
    """What HTP+ is told of a route that it writes."""

    nothing = "nothing"
    start = "start"
    destination = "destination"


def generate(
    checkpoint: CheckpointRead,
    out: Annotated[str, typer.Option(help="Trips: .parquet, .geojson, .gpx or .csv; with --ray also a folder or URL.")],
    like: Annotated[Path | None, typer.Option(help="Trips for the conditions of each of these, one or -n.")] = None,
    plus: Annotated[Plus | None, typer.Option(help="With --like: write the routes too, told so much of them.")] = None,
    via: Annotated[list[str], typer.Option(help="LON,LAT of a place to pass; at least two, in order.")] = [],
    depart: Annotated[str | None, typer.Option(help="Local time, e.g. '2024-05-06 08:15'.")] = None,
    duration: Annotated[float | None, typer.Option(help="Travel time in seconds; drawn if not given.")] = None,
    draw_time: Annotated[bool, typer.Option("--draw-time", help="With --like: travel times are drawn.")] = False,
    interval: Annotated[float | None, typer.Option(help="Seconds between points; else the checkpoint's.")] = None,
    n: Annotated[int, typer.Option("-n", help="Trips to generate along the route, or for each of --like.")] = 1,
    temperature: Annotated[float, typer.Option(help="0: the likeliest patterns; 1: as they were learned.")] = 1.0,
    top_p: Annotated[float, typer.Option(help="Only the likeliest tokens of this probability together.")] = 1.0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    ray: Ray = None,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Generate trips: like given ones, or along the fastest route through places."""
    from htp import Conditions, Generator
    from htp.generate_files import Like, generate_along
    from htp.trip_source import Sampling, check_count

    file, sampling = Path(out), Sampling(temperature, top_p)
    if ray is None or file.suffix:
        check_file(file, force)
    _check_asked(like, via, plus, depart, ray, draw_time=draw_time)
    check_count(1, n)
    if like is not None:
        count = _like(Like(checkpoint.absolute(), like, sampling, plus, n, draw_time, seed, device), ray, out, force)
    else:
        generator, places = Generator.load(checkpoint, device), [_place(text) for text in via]
        route, when = generator.city.route(places), generator.city.local_time(depart or "")
        wanted = Conditions(route, when, duration, interval_s=interval)
        with Bar("generating") as bar:
            count = generate_along(generator, wanted, n, file, sampling, seed=seed, progress=bar, say=_note)
    print(f"{out}: {count:,} generated trips")


def _like(request: Like, ray: str | None, out: str, force: bool) -> int:
    """Answer a request here or on a Ray cluster; return how many trips there are."""
    from htp.generate import Generator
    from htp.generate_files import generate_like

    if ray is not None:
        return _generate_on(ray, request, out, force)
    generator = Generator.load(request.checkpoint, request.device)
    make = partial(generate_like, generator, request.trips, Path(out), request.sampling, plus=request.plus)
    make = partial(make, draws=request.draws, draw_time=request.draw_time, seed=request.seed)
    with Bar("generating") as bar:
        return make(progress=bar, say=_note)


def _note(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _generate_on(address: str, request: Like, out: str, force: bool) -> int:
    """Answer a request on a Ray cluster, in parts; return how many trips there are."""
    from htp.generate_files import generate_on
    from htp.scale import Cluster

    with Cluster(address, gpus=request.device != "cpu") as cluster, Bar("generating") as progress:
        return generate_on(cluster, request, out, force=force, progress=progress, say=_note)


def _check_asked(
    like: Path | None, via: list[str], plus: Plus | None, depart: str | None, ray: str | None, *, draw_time: bool
) -> None:
    if (like is None) == (not via):
        raise InputError("give either --like TRIPS or --via LON,LAT at least twice.")
    if ray is not None and like is None:
        raise InputError("--ray shares out the trips of --like TRIPS; along --via one machine is enough.")
    if plus is not None and like is None:
        raise InputError("--plus writes the routes of --like TRIPS; along --via the route is given.")
    if draw_time and like is None:
        raise InputError("--draw-time draws the travel times of --like TRIPS; along --via leave out --duration.")
    if like is None and depart is None:
        raise InputError("give --depart, the local time at which the trips begin: --depart '2024-05-06 08:15'.")


def _place(text: str) -> tuple[float, float]:
    return two_numbers(float, text.split(","), f"--via {text!r}: write LON,LAT in degrees, e.g. --via -71.34,-29.95.")
