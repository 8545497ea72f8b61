"""Map `htp experiment` to functions: `run`, `codebooks` and `speed` make results, `report` tables and figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from htp.cli.options import CityFolder

if TYPE_CHECKING:
    from htp.experiment.run import RunSummary

Data = Annotated[Path, typer.Argument(help="Folder that `htp prepare` wrote.")]
Results = Annotated[Path, typer.Argument(help="Folder of the results of `htp experiment run`.")]
Trips = Annotated[int | None, typer.Option(min=1, help="Train on the first so many trips.")]
HeldOut = Annotated[int | None, typer.Option(min=1, help="Ask for the first so many held-out trips.")]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]
Force = Annotated[bool, typer.Option("--force", help="Replace results of other data, budget or sizes.")]

experiment = typer.Typer(help="Compare HTP with its ablations and the paper's baselines.", no_args_is_help=True)
console = Console(stderr=True)


@experiment.command()
def run(
    data: Data,
    city: CityFolder,
    out: Annotated[Path, typer.Option(help="Folder of the results; a run stopped there goes on.")],
    budget: Annotated[str, typer.Option(help="Training time of each method and seed: 90s, 20m, 2h.")],
    methods: Annotated[
        str, typer.Option(help="all, references, baselines, ablations or names, a comma between them.")
    ] = "all",
    seeds: Annotated[int, typer.Option(min=1, help="Repeat with so many seeds: mean ± deviation.")] = 1,
    trips: Trips = None,
    heldout: HeldOut = None,
    device: Device = "cpu",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that measure; one a core by default.")] = None,
    force: Force = False,
) -> None:
    """Train, generate and measure each method for the same time on the same trips."""
    from htp.experiment.run import run as run_all
    from htp.experiment.settings import ExperimentSettings, seconds_of
    from htp.methods.registry import choose

    settings = ExperimentSettings(seconds_of(budget), seeds, trips, heldout, device)
    tally = run_all(data, city, choose(methods), settings, out, force=force, workers=workers, report=_say)
    _say_tally(tally, out)
    if tally.failed:
        raise typer.Exit(1)


@experiment.command()
def codebooks(
    data: Data,
    city: CityFolder,
    out: Annotated[Path, typer.Option(help="Folder of the results; a run stopped there goes on.")],
    budget: Annotated[str, typer.Option(help="Training time of each tokenizer: 90s, 2m.")],
    trips: Trips = None,
    heldout: HeldOut = None,
    force: Force = False,
) -> None:
    """Compare the losses of tokenizers with other codebooks (Figure 10)."""
    from htp.experiment.codebooks import codebooks as run_all
    from htp.experiment.settings import ExperimentSettings, seconds_of

    made = run_all(data, city, ExperimentSettings(seconds_of(budget), 1, trips, heldout), out, force=force, report=_say)
    print(f"{out}: {len(made)} tokenizers trained")


@experiment.command()
def speed(
    results: Results,
    batches: Annotated[str, typer.Option(help="Trips that are generated at once, a comma between them.")] = "1,16,64",
) -> None:
    """Measure the methods' speed side by side (Figure 8)."""
    from htp.experiment.speed import batches_of, measure_speed

    print(measure_speed(results, batches_of(batches), report=_say))


@experiment.command()
def report(
    results: Results,
    simulated: Annotated[bool, typer.Option("--simulated", help="Say that the trips are simulated.")] = False,
) -> None:
    """Write the paper's tables and figures from results."""
    from htp.experiment.report import write_report

    written = write_report(results, simulated=simulated)
    print(f"{written[-1]}: {len(written)} files of tables and figures")


def _say_tally(tally: RunSummary, out: Path) -> None:
    counts = f"{len(tally.finished)} made, {len(tally.skipped)} there already, {len(tally.failed)} failed"
    print(f"{out}: {len(tally.finished) + len(tally.skipped)} results ({counts})")
    for name, sentence in tally.failed.items():
        print(f"{name} failed: {sentence}")


def _say(line: dict[str, Any]) -> None:
    console.print(json.dumps(line, ensure_ascii=False), highlight=False, markup=False, soft_wrap=True)
