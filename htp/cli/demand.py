"""Map `htp demand` to its function."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from htp.cli.options import CheckpointRead
from htp.errors import InputError
from htp.progress import Bar


def demand(
    table: Annotated[Path, typer.Argument(help="CSV: origin, destination, trips; or a matrix.")],
    checkpoint: CheckpointRead,
    day: Annotated[str, typer.Option(help="Date of the departures, e.g. 2024-05-14.")],
    out: Annotated[Path, typer.Option(help="Trips: .parquet, .geojson, .gpx or .csv.")],
    zones: Annotated[Path | None, typer.Option(help="GeoJSON or GeoParquet; the city's own by default.")] = None,
    profile: Annotated[
        str | None, typer.Option(help="Shares of the departures of 24 hours, a comma between; held-out by default.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The same seed makes the same trips.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Generate the trips of a whole day from a table of trips between zones."""
    from htp.generate import Generator
    from htp.planning.demand import Timetable, city_zones, plan_day, read_flows, read_zones
    from htp.planning.demand.day import shares_of
    from htp.planning.demand.parts import make_part, part_count, write_day
    from htp.trips import check_ending

    if out.exists() and not force:
        raise InputError(f"{out} is there already; give --force to overwrite it, or another --out.")
    check_ending(out)
    date_of_day, rows = _day(day), _content(table)
    shapes = None if zones is None else _content(zones)
    generator = Generator.load(checkpoint, device)
    areas = city_zones(generator.city) if shapes is None else read_zones(shapes, str(zones), generator.city)
    flows = read_flows(rows, str(table), areas.names, seed=seed)
    shares = shares_of(generator.heldout()["start_time"]) if profile is None else _shares(profile)
    timetable = Timetable(date_of_day, shares, seed)
    with Bar("finding routes") as progress:
        planned = plan_day(generator, areas, flows, timetable, progress)
    with Bar("generating") as progress:
        parts = (
            make_part(generator, planned, number, seed, areas.names, progress) for number in range(part_count(planned))
        )
        count = write_day(parts, out)
    print(f"{out}: {count:,} generated trips of {flows.total:,} asked for")
    for reason, trips in planned.left_out.items():
        print(f"left out: {trips:,} {reason}")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read; give a file that is there.") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--day {text!r}: write a date such as 2024-05-14.") from error


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"--profile {text[:60]!r}: write 24 numbers with a comma between, e.g. 0,0,1,3,…") from error
