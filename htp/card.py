"""Write a checkpoint's model card: what it was trained on, how long, and how close its trips come to held-out ones."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from htp.checkpoint import Checkpoint
from htp.errors import InputError
from htp.evaluate import evaluate
from htp.generate import Generator, reconstruct
from htp.language.decode import Sampling
from htp.requests import generate_like
from htp.trips import count_trips, iter_trips, replacing, write_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import geopandas as gpd

    from htp.evaluate.report import Report

SIMULATED = (
    "**The trips are simulated**, not recorded: see `docs/simulation.md` of the project for how, "
    "and for what is imposed."
)


def write_card(
    checkpoint: Path,
    *,
    simulated: bool,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Generate a trip like each held-out one, evaluate, write README.md and seal the checkpoint; return the report."""
    files = Checkpoint(checkpoint)
    if not (files.language.is_dir() and files.heldout.is_file()):
        raise InputError(f"{checkpoint}: no complete checkpoint; finish it with `htp train language`.")
    files.seal()  # a checkpoint without its card is whole enough to be loaded
    generator = Generator.load(checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        generated, ceiling = Path(folder) / "generated.parquet", Path(folder) / "reconstructed.parquet"
        generate_like(generator, files.heldout, generated, Sampling(), seed=seed, progress=progress)
        write_pieces(_reconstructed(files, generator, seed), ceiling)
        city = generator.city
        report = evaluate(
            files.heldout, generated, city, ceiling=ceiling, seed=seed, workers=workers, progress=progress
        )
    with replacing(files.card) as path:
        path.write_text(card_text(files, generator, report, simulated=simulated), encoding="utf-8")
    files.seal()
    return report


def _reconstructed(files: Checkpoint, generator: Generator, seed: int) -> Iterator[gpd.GeoDataFrame]:
    done = 0
    for piece in iter_trips(files.heldout):
        yield reconstruct(piece, generator.tokenizer, seed, done)
        done += len(piece)


def card_text(files: Checkpoint, generator: Generator, report: Report, *, simulated: bool) -> str:
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
            SIMULATED if simulated else "The trips were recorded.",
            "",
            *_data_lines(files, generator),
            *_training_lines(files),
            *_metric_lines(report),
        ]
    )


def _data_lines(files: Checkpoint, generator: Generator) -> list[str]:
    city = generator.city
    return [
        "## Data",
        "",
        f"- Roads: {len(city):,} directed roads. {city.source}. Licence: {city.licence}",
        f"- Held-out trips, never trained on: {count_trips(files.heldout):,} (`heldout.parquet`).",
        "",
    ]


def _training_lines(files: Checkpoint) -> list[str]:
    stages = {stage.name: _training(stage) for stage in (files.tokenizer, files.language)}
    return ["## Training", "", *[line for name, facts in stages.items() for line in _stage_lines(name, facts)], ""]


def _metric_lines(report: Report) -> list[str]:
    rows = [
        f"| {line.name} | {line.value:.5f} | {line.floor:.5f} | "
        f"{'' if line.ceiling is None else f'{line.ceiling:.5f}'} |"
        for line in report.lines
    ]
    return [
        "## Held-out trips against trips generated from their conditions",
        "",
        "`htp generate --like heldout.parquet`, then `htp evaluate`. The noise floor is one half of the real trips",
        "against the other; the ceiling is the real trips through the tokenizer and back.",
        "",
        "| metric | generated | noise floor | ceiling |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
        f"Validity: `{json.dumps(_validity(report))}`",
        "",
    ]


def _stage_lines(name: str, facts: dict) -> list[str]:
    settings = ", ".join(f"{key} {value}" for key, value in facts["settings"].items())
    return [f"- `htp train {name}`: {facts['minutes']} minutes; {settings}. Last report: `{json.dumps(facts['last'])}`"]


def _training(stage: Path) -> dict:
    lines = (stage / "training.jsonl").read_text(encoding="utf-8").splitlines()
    reports = [json.loads(line) for line in lines]
    settings = json.loads((stage / "settings.json").read_text(encoding="utf-8"))
    last = next((one for one in reversed(reports) if "loss" in one or "error_m" in one), reports[-1])
    return {"minutes": reports[-1]["minutes"], "settings": settings, "last": last}


def _validity(report: Report) -> dict | None:
    return None if report.validity is None else dict(vars(report.validity))
