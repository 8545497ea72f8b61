"""Map commands to functions: `htp COMMAND --help` says what each one takes.

Imports a command's part of the package when it is run, so that `htp --help` is quick. Bad input ends with one sentence
and exit code 2.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from htp.cli import serve as serve_commands
from htp.cli.bench import bench, load
from htp.cli.city import city
from htp.cli.demand import demand
from htp.cli.experiment import experiment
from htp.cli.generate import generate
from htp.cli.options import (
    CheckpointFolder,
    CheckpointRead,
    CityFolder,
    CityRead,
    Force,
    Ray,
    Seed,
    check_file,
    pair,
    refuse_to_overwrite,
    two_numbers,
)
from htp.cli.privacy import audit
from htp.cli.train import train
from htp.errors import InputError, no_right, no_room
from htp.progress import Bar
from htp.recording import MAX_POINTS, MIN_POINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import geopandas as gpd

    from htp.city import City


app = typer.Typer(help="Generate realistic GPS trips for a city.", no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(train, name="train")
app.add_typer(experiment, name="experiment")
app.command()(city)
app.command()(audit)
app.command()(bench)
app.command()(load)
app.command()(demand)
app.command()(generate)
serve_commands.add_to(app)
console = Console(stderr=True)
ANY = f"{MIN_POINTS}:{MAX_POINTS}"

OutFile = Annotated[Path, typer.Option("--out", help="Trips: .parquet, .geojson, .gpx or .csv.")]


class Dates(StrEnum):
    """Which number of a date such as 05/04/2024 is the day."""

    day_first = "day-first"
    month_first = "month-first"


class HeldoutBy(StrEnum):
    """What is held out as a whole."""

    trip = "trip"
    day = "day"


@app.command()
def prepare(
    trips: Annotated[list[Path], typer.Argument(help="CSV of points, Porto CSV, GPX, GeoJSON, GeoLife, GeoParquet.")],
    city: CityFolder,
    out: Annotated[Path, typer.Option(help="Folder for train.parquet, heldout.parquet and report.json.")],
    interval: Annotated[
        float | None, typer.Option(min=1, max=120, help="Seconds between points; else their own")
    ] = None,
    points: Annotated[str, typer.Option(help="Points of a trip; longer ones are split. The paper's: 20:200.")] = ANY,
    column: Annotated[list[str], typer.Option(help="Name a CSV column, e.g. trip_id=ride; repeatable.")] = [],
    dates: Annotated[Dates | None, typer.Option(help="How 05/04/2024 is meant, where no other date tells.")] = None,
    first_day: Annotated[
        str | None, typer.Option(help="Day that times without a date begin on, e.g. 2024-05-14.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Of times that carry none; by default the city's.")] = None,
    crs: Annotated[str | None, typer.Option(help="Of coordinates that are no degrees, e.g. EPSG:32719.")] = None,
    heldout: Annotated[float, typer.Option(min=0, max=0.9, help="Share of trips to hold out.")] = 0.1,
    heldout_by: Annotated[HeldoutBy, typer.Option(help="Hold out single trips, or whole days.")] = HeldoutBy.trip,
    heldout_area: Annotated[
        str | None, typer.Option(help="WEST,SOUTH,EAST,NORTH: hold out all trips through it instead of a share.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a core by default.")] = None,
    ray: Ray = None,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Clean raw trips, match them to the roads and label their points."""
    from htp.city import City
    from htp.prepare.options import Hints, PrepareOptions
    from htp.prepare.pipeline import prepare as run

    refuse_to_overwrite(out / "report.json", force)
    columns = dict(pair(text, "--column", "trip_id=ride") for text in column)
    day = None if first_day is None else _day(first_day, "--first-day")
    hints = Hints(None if dates is None else dates is Dates.day_first, day, crs, timezone)
    least, most = _points(points)
    area = None if heldout_area is None else _area(heldout_area)
    options = PrepareOptions(interval, columns, heldout, seed, workers, ray, least, most, hints, heldout_by, area)
    with Bar("preparing") as progress:
        report = run(trips, City.load(city), out, options, progress=progress)
    _print_report(out, report)


def _print_report(out: Path, report: dict[str, Any]) -> None:
    """Say what preparation kept, and what it left out why."""
    from htp.prepare.reasons import explained

    for note in report["notes"]:
        print(note)
    further = f", {report['further_drives']:,} of them further parts of one row" if report["further_drives"] else ""
    every = f"a point every {report['settings']['interval_s']:g} s"
    print(f"{out}: kept {report['kept']:,} of {report['rows'] + report['further_drives']:,} trips{further}, {every}")
    for reason, count in sorted(report["dropped"].items(), key=lambda item: -item[1]):
        print(f"dropped {count:,} as {explained(reason, report['examples'])}")
    for reason, count in report["left_out"].items():
        print(f"left out {count:,} points as {explained(reason, report['examples'])}")


@app.command()
def simulate(
    city: CityFolder,
    trips: Annotated[int, typer.Option(help="How many trips to write at most.")],
    out: OutFile,
    day: Annotated[list[str], typer.Option(help="Day to simulate, e.g. 2024-05-14; repeatable.")] = [],
    work: Annotated[Path | None, typer.Option(help="Folder for finished days; beside --out by default.")] = None,
    interval: Annotated[
        int, typer.Option(min=5, max=120, help="Seconds between the points of a trip, a multiple of 5.")
    ] = 15,
    workers: Annotated[int | None, typer.Option(min=1, help="Days at a time; one a core by default.")] = None,
    seed: Seed = 0,
    receiver_seed: Annotated[int, typer.Option(min=0, help="Seed of the GPS receivers; days are not made anew.")] = 0,
    force: Force = False,
) -> None:
    """Make raw trips for a city that has none, driven through it by SUMO; finished days are only read off again."""
    from htp.city import City
    from htp.simulate import DAYS
    from htp.simulate import simulate as run

    refuse_to_overwrite(out, force)
    days = tuple(_day(text) for text in day) or DAYS
    with Bar("simulating") as progress:
        made = partial(run, City.load(city), trips, out, work=work or out.parent / "days", days=days)
        made(interval_s=interval, seed=seed, receiver_seed=receiver_seed, workers=workers, progress=progress)
    print(f"{out}: written; these trips are simulated")


@app.command()
def tokenize(
    trips: Annotated[Path, typer.Argument(help="Prepared trips.")],
    checkpoint: CheckpointRead,
    out: OutFile,
    force: Force = False,
) -> None:
    """Add the patterns of prepared trips to them."""
    from htp.generate import load_tokenizer
    from htp.generate import tokenize as run

    _through(trips, out, force, lambda piece, tokenizer, _: run(piece, tokenizer), load_tokenizer(checkpoint))


@app.command()
def reconstruct(
    trips: Annotated[Path, typer.Argument(help="Prepared trips.")],
    checkpoint: CheckpointRead,
    out: OutFile,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Send prepared trips through the tokenizer and back."""
    from htp.generate import load_tokenizer
    from htp.generate import reconstruct as run

    tokenizer = load_tokenizer(checkpoint)
    _through(trips, out, force, lambda piece, tokenizer, at: run(piece, tokenizer, seed, at), tokenizer)


@app.command()
def evaluate(
    real: Annotated[Path, typer.Option(help="Real trips, in any format that trips are written in.")],
    generated: Annotated[Path, typer.Option(help="Generated trips, likewise.")],
    city: CityRead,
    ceiling: Annotated[Path | None, typer.Option(help="The real trips after `htp reconstruct`.")] = None,
    train: Annotated[Path | None, typer.Option(help="Trips the generator was trained on, to look for copies.")] = None,
    draws: Annotated[
        Path | None, typer.Option(help="Several trips for each real one: `htp generate --like -n 9`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a core by default.")] = None,
    ray: Ray = None,
    seed: Seed = 0,
) -> None:
    """Compare generated with real trips by the paper's eight metrics, each beside its noise floor."""
    from htp.city import City
    from htp.evaluate import evaluate as run

    town = City.load(city)
    sides = (_to_measure(real, town), _to_measure(generated, town))
    with Bar("measuring") as progress:
        asked = partial(run, *sides, town, ceiling=ceiling, train=train, draws=draws, seed=seed)
        report = asked(workers=workers, ray=ray, progress=progress)
    if as_json:
        print(report.to_json())
    else:
        report.print()


@app.command()
def card(
    checkpoint: CheckpointFolder,
    simulated: Annotated[bool, typer.Option("--simulated", help="Say that the trips are simulated.")] = False,
    recorded_by: Annotated[str, typer.Option(help="Who recorded the trips, when, how many; their licence.")] = "",
    train: Annotated[Path | None, typer.Option(help="Trips the generator was trained on, to look for copies.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a core by default.")] = None,
    seed: Seed = 0,
) -> None:
    """Evaluate a checkpoint on its held-out trips and write the result into its model card."""
    from htp.card import write_card

    with Bar("measuring") as progress:
        write = partial(write_card, checkpoint, simulated=simulated, recorded_by=recorded_by, train=train)
        report = write(seed=seed, workers=workers, progress=progress)
    report.print()


@app.command("app")
def open_app(
    checkpoint: CheckpointRead,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501,
    workspace: Annotated[Path, typer.Option(help="Folder for what is added in the app.")] = Path("htp-data"),
    private: Annotated[
        bool, typer.Option("--private", help="Keep what a person adds for that person's browser session alone.")
    ] = False,
    backend: Annotated[
        list[str] | None,
        typer.Option(help="Address of an `htp serve` that makes the trips; give it again to offer several."),
    ] = None,
) -> None:
    """Open the Streamlit app; the environment variable HTP_KEY holds the key for services that have keys."""
    from importlib.util import find_spec

    app_spec = find_spec("htp_app")
    assert app_spec, "app is installed with htp"
    assert app_spec.submodule_search_locations
    main_page = Path(app_spec.submodule_search_locations[0]) / "main.py"
    command = [sys.executable, "-m", "streamlit", "run", str(main_page), "--server.port", str(port)]
    chosen = ["--checkpoint", str(checkpoint), "--workspace", str(workspace)]
    chosen += [f"--backend={url}" for url in backend or ()] + ["--private"] * private
    raise typer.Exit(subprocess.call([*command, "--", *chosen]))  # noqa: S603  our own command


def main() -> None:
    """Run the program; bad input is one sentence on standard error and exit code 2."""
    try:
        app()
    except InputError as error:
        for note in getattr(error, "__notes__", ()):
            console.print(note, highlight=False, soft_wrap=True, markup=False)
        _end(str(error))
    except Exception as error:
        if sentence := no_room(error):  # where a library writes a file of its own
            _end(f"a file {sentence}")
        if sentence := no_right(error):
            _end(sentence)
        raise


def _end(sentence: str) -> None:
    console.print(f"[bold red]htp:[/] {escape(sentence)}", highlight=False, soft_wrap=True)
    sys.exit(2)


def _to_measure(path: Path, town: City) -> Path | gpd.GeoDataFrame:
    """Return what `htp evaluate` reads piece by piece as it is, a file of another format that we write as a table."""
    from htp.prepare.table import READABLE, read_table, said

    if path.is_dir() or path.suffix.lower() not in set(READABLE) - {".parquet"}:
        return path
    if not path.exists():
        raise InputError(f"{path}: there is no such file; give the trips' own.")
    table = read_table(path, town)
    if table.dropped:
        console.print(f"{path}: left out: {said(table.dropped)}", highlight=False, soft_wrap=True, markup=False)
    return table.trips


def _through(trips: Path, out: Path, force: bool, step: Callable, tokenizer: object) -> None:
    """Send a table of trips through a step piece by piece."""
    from htp.trips import count_trips, iter_trips, of_any_trips, write_pieces

    check_file(out, force)
    total, done = count_trips(trips), 0
    with Bar("tokenizing") as progress:

        def pieces() -> Iterator[gpd.GeoDataFrame]:
            nonlocal done
            for piece in iter_trips(trips, needs=("roads", "percent", "offset")):
                yield step(of_any_trips(piece), tokenizer, done)
                done += len(piece)
                progress(done, total)

        write_pieces(pieces(), out)
    print(f"{out}: {total:,} trips")


def _points(text: str) -> tuple[int, int]:
    return two_numbers(int, text.split(":"), f"--points {text!r}: write LEAST:MOST, e.g. --points 20:200.")


def _area(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError as error:
        raise InputError(f"--heldout-area {text!r}: write WEST,SOUTH,EAST,NORTH in degrees.") from error
    return west, south, east, north


def _day(text: str, option: str = "--day") -> date:
    from datetime import date as day

    try:
        return day.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{option} {text!r}: write a date such as 2024-05-14.") from error
