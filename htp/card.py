"""Write a checkpoint's model card: what it was trained on, how long, and how close its trips come to held-out ones."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from htp.checkpoint import Checkpoint
from htp.errors import InputError
from htp.evaluate import evaluate
from htp.evaluate.calibration import LEVELS
from htp.evaluate.privacy import audit
from htp.evaluate.stops import ALL_DAY
from htp.files import replacing
from htp.generate import Generator, reconstruct
from htp.generate_files import generate_like
from htp.json_files import parse_object, read_object
from htp.trip_source import Sampling
from htp.trips import count_trips, iter_trips, read_trips, write_pieces, write_trips

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import geopandas as gpd

    from htp.evaluate.privacy.result import Audit
    from htp.evaluate.report import Line, Report

DRAWS, CALIBRATED_ON = 9, 500  # draws for the conditions of so many trips
SIMULATED = (
    "**The trips are simulated**, not recorded: see `docs/simulation.md` of the project for how, "
    "and for what is imposed."
)


def write_card(  # noqa: PLR0913  the command's options
    checkpoint: Path,
    *,
    simulated: bool,
    recorded_by: str = "",
    train: Path | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Generate a trip like each held-out one, evaluate, write README.md and seal the checkpoint; return the report.

    `recorded_by` says who recorded them, when, how many, and under which licence. `train` is the trips that it was
    trained on, to look for copies of them and for what gives them away.
    """
    files = Checkpoint(checkpoint)
    if not (files.language.is_dir() and files.heldout.is_file()):
        raise InputError(f"{checkpoint}: no complete checkpoint; finish it with `htp train language`.")
    files.seal()  # a checkpoint without its card is whole enough to be loaded
    generator = Generator.load(checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        generated, ceiling = Path(folder) / "generated.parquet", Path(folder) / "reconstructed.parquet"
        generate_like(generator, files.heldout, generated, Sampling(), seed=seed, progress=progress)
        write_pieces(_reconstructed(files, generator, seed), ceiling)
        draws = _drawn(files, generator, Path(folder), seed)
        report = evaluate(
            files.heldout,
            generated,
            generator.city,
            ceiling=ceiling,
            train=train,
            draws=draws,
            seed=seed,
            workers=workers,
            progress=progress,
        )
        audited = None
        if train is not None:
            audited = audit(checkpoint, train, generated, files.heldout, workers=workers, seed=seed, progress=progress)
    with replacing(files.card) as path:
        origin = SIMULATED if simulated else f"**The trips were recorded**{recorded_by and f': {recorded_by}'}."
        path.write_text(card_text(files, generator, report, audited, origin, simulated=simulated), encoding="utf-8")
    files.seal()
    return report


def _drawn(files: Checkpoint, generator: Generator, folder: Path, seed: int) -> Path:
    """Write `DRAWS` trips for the conditions of each of `CALIBRATED_ON` held-out trips from all over their table."""
    like, draws = folder / "some.parquet", folder / "draws.parquet"
    trips = read_trips(files.heldout)
    write_trips(trips.iloc[np.unique(np.linspace(0, len(trips) - 1, CALIBRATED_ON).astype(int))], like)
    generate_like(generator, like, draws, Sampling(), draws=DRAWS, draw_time=True, seed=seed)
    return draws


def _reconstructed(files: Checkpoint, generator: Generator, seed: int) -> Iterator[gpd.GeoDataFrame]:
    done = 0
    for piece in iter_trips(files.heldout):
        yield reconstruct(piece, generator.tokenizer, seed, done)
        done += len(piece)


def card_text(
    files: Checkpoint, generator: Generator, report: Report, audited: Audit | None, origin: str, *, simulated: bool
) -> str:
    """Return the card as Markdown with a header that programs read."""
    name = generator.city.name
    return "\n".join(
        [
            "---",
            f"city: {name}",
            f"simulated: {'true' if simulated else 'false'}",
            "license: Apache-2.0 (model), ODbL-1.0 (roads)",
            "---",
            "",
            f"# HTP for {name}",
            "",
            "A generator of GPS trips: an RQ-VAE over travel patterns and a language model that writes them.",
            origin,
            "",
            *_data_lines(files, generator),
            *_training_lines(files),
            *_metric_lines(report),
            *([] if audited is None else audited.to_markdown()),
        ]
    )


def _data_lines(files: Checkpoint, generator: Generator) -> list[str]:
    city = generator.city
    credit = "" if city.attribution in city.licence else f". {city.attribution}"
    return [
        "## Data",
        "",
        f"- Roads: {len(city):,} directed roads. {city.source}. Licence: {city.licence}{credit}",
        f"- Points: one every {generator.recording.interval_s:g} s; trips of {generator.recording.minutes}.",
        f"- Held-out trips, never trained on: {count_trips(files.heldout):,} (`heldout.parquet`).",
        "",
    ]


def _training_lines(files: Checkpoint) -> list[str]:
    trained = [stage for stage in (files.tokenizer, files.language, files.routes) if stage.is_dir()]
    stages = {stage.name: _training(stage) for stage in trained}
    return ["## Training", "", *[line for name, facts in stages.items() for line in _stage_lines(name, facts)], ""]


def _metric_lines(report: Report) -> list[str]:
    rows = [_metric_row(line) for line in (*report.lines, *report.beyond)]
    return [
        "## Held-out trips against trips generated from their conditions",
        "",
        "`htp generate --like heldout.parquet`, then `htp evaluate`. The noise floor is what two sets of as many real",
        "trips get by chance; the ceiling is the real trips through the tokenizer and back. The last four are not the",
        "paper's.",
        "",
        f"| metric | generated | {report.level_percent:.0f} % interval | noise floor | ceiling |",
        "| --- | --- | --- | --- | --- |",
        *rows,
        "",
        *_told_lines(report),
        *_calibration_lines(report),
        *_stop_lines(report),
        *_validity_lines(report),
        *_copy_lines(report),
    ]


def _metric_row(line: Line) -> str:
    ceiling = "" if line.ceiling is None else f"{line.ceiling:.5f}"
    interval = f"{line.bootstrap.low:.5f} to {line.bootstrap.high:.5f}"
    return f"| {line.name} | {line.value:.5f} | {interval} | {line.floor:.5f} | {ceiling} |"


def _told_lines(report: Report) -> list[str]:
    told = report.told
    if told is None:
        return []
    given_away = "; ".join(f"{one.name} (real {one.real:.3g}, generated {one.generated:.3g})" for one in told.telling)
    said = (
        f"Told apart: a classifier of how trips move finds the generated one of a pair with AUC {told.auc:.3f} "
        f"({told.low:.3f} to {told.high:.3f}; 0.5 is chance). What gives them away, medians in metres and m/s: "
        f"{given_away}."
    )
    return [said, ""]


def _calibration_lines(report: Report) -> list[str]:
    found = report.calibration
    if found is None:
        return []
    heads = [*(f"in the {level:.0%} interval" for level in LEVELS), "CRPS", "CRPS of a draw"]
    rows = [
        f"| {one.quantity} | {' | '.join(f'{share:.1%}' for share in one.coverage)} | {one.crps:.1f} "
        f"| {one.crps_of_draws:.1f} |"
        for one in found.spreads
    ]
    return [
        f"Calibration: {found.draws} draws for each of {found.trips:,} held-out trips, travel times drawn as well.",
        "",
        f"| quantity | {' | '.join(heads)} |",
        "|" + " --- |" * (len(heads) + 1),
        *rows,
        "",
    ]


def _stop_lines(report: Report) -> list[str]:
    rows = [
        f"| {one.name} | {one.real:.3g} | {one.generated:.3g} | {one.low:.2f} to {one.high:.2f} |"
        for one in report.stops
        if one.band == ALL_DAY
    ]
    if not rows:
        return []
    heads = "| stops and junctions | real | generated | generated / real, 95 % interval |"
    return [heads, "| --- | --- | --- | --- |", *rows, ""]


def _validity_lines(report: Report) -> list[str]:
    checked = report.validity
    if checked is None:
        return []
    shares = {"on the route": checked.on_route, "number of points": checked.points, "time": checked.time}
    shares |= {"distance": checked.distance, "all of these": checked.everything}
    said = ", ".join(f"{name} {100 * share:.2f} %" for name, share in shares.items() if share is not None)
    return [f"Share of {checked.trips:,} generated trips that meet their conditions: {said}.", ""]


def _copy_lines(report: Report) -> list[str]:
    if report.closest is None:
        return []
    made, real = report.closest.generated, report.closest.heldout
    said = (
        f"Is it copying? Closest of {report.closest.train:,} training trips, median: {made.median_m:.0f} m from a "
        f"generated trip, {real.median_m:.0f} m from a held-out one. Near copies (closer than "
        f"{report.closest.limit_m:.0f} m): {100 * made.near_copies:.2f} % of the generated, "
        f"{100 * real.near_copies:.2f} % of the held-out trips."
    )
    return [said, ""]


def _stage_lines(name: str, facts: dict) -> list[str]:
    """Say how a stage was trained; first, if it went on from another training, how that one was."""
    trainings, settings = [], facts["settings"]
    while settings is not None:
        trainings += [f"- `htp train decoder`: {_said(further)}." for further in reversed(settings.get("decoder", []))]
        trainings.append(f"- `htp train {name}`: {_said(settings)}.")
        settings = settings.get("before")
    last = f" It took {facts['minutes']} minutes. Last report: `{json.dumps(facts['last'])}`"
    return [*trainings[:0:-1], trainings[0] + last]


def _said(settings: dict) -> str:
    return ", ".join(f"{key} {value}" for key, value in settings.items() if key not in ("before", "decoder"))


def _training(stage: Path) -> dict:
    lines = (stage / "training.jsonl").read_text(encoding="utf-8").splitlines()
    reports = [parse_object(line, str(stage / "training.jsonl")) for line in lines]
    settings = read_object(stage / "settings.json")
    last = next((one for one in reversed(reports) if "loss" in one or "error_m" in one), reports[-1])
    return {"minutes": reports[-1]["minutes"], "settings": settings, "last": last}
