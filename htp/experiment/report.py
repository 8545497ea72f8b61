"""Turn the results of an experiment into tables and figures, without computing any result again."""

from __future__ import annotations

from importlib import import_module
from itertools import product
from typing import TYPE_CHECKING

from htp.city.credit import attribution_of, credit_text
from htp.errors import InputError
from htp.experiment import formats
from htp.experiment.figures import FIGURES
from htp.experiment.layout import Layout
from htp.experiment.results import load, scores_of
from htp.experiment.speed import read_speeds, speed_table
from htp.experiment.tables import tables
from htp.files import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from htp.experiment.results import Row

FORMATS = {".md": formats.to_markdown, ".tex": formats.to_latex, ".csv": formats.to_csv}


def write_report(results: Path, *, simulated: bool = False) -> list[Path]:
    """Write RESULTS/report: tables, figures, and report.md with all of them; return the files.

    `simulated` says that the trips are, where their data does not. `InputError` where a result is damaged, results
    cannot be compared, or trips are missing.
    """
    layout = Layout(results)
    rows = load(layout)
    simulated = simulated or bool(rows[0].any.data["simulated"])
    found, written = tables(rows, simulated=simulated), []
    speeds = read_speeds(layout, rows)
    if speeds is not None:
        found.append(speed_table(speeds))
    for table, (ending, to_text) in product(found, FORMATS.items()):
        written.append(_write(layout.report / f"{table.name}{ending}", to_text(table)))
    written.append(_write(layout.report / "scores.csv", every_score(rows)))
    figures = _write_figures(rows, layout, simulated=simulated)
    city = rows[0].any.data["city"]
    kind = "The trips are simulated. " if simulated else ""
    credit = credit_text(attribution_of(rows[0].any.data))
    parts = [f"# Experiment: {city}\n\n{kind}{credit}\n", *map(formats.to_markdown, found)]
    parts += [f"![{path.stem}]({path.name})\n" for path in figures if path.suffix == ".png"]
    return [*written, *figures, _write(layout.report / "report.md", "\n".join(parts))]


def every_score(rows: Sequence[Row]) -> str:
    """Return CSV: a line for each metric of each result, beyond the paper as well, with interval, floor, ceiling."""
    named = {"label": "method", "low": "interval_low", "high": "interval_high"}
    return scores_of(rows).drop(columns="low_is_good").rename(columns=named).to_csv(index=False, float_format="%.6g")


def _write_figures(rows: Sequence[Row], layout: Layout, *, simulated: bool) -> list[Path]:
    """Draw the figures that there are results for; none where every method failed."""
    if not any(row.results for row in rows):
        return []
    try:
        subjects = import_module("htp.experiment.figures.subject")
    except ImportError as error:
        raise InputError("figures need matplotlib: install it with `pip install 'htp[experiment]'`.") from error
    subject, written = subjects.Subject(rows, layout, simulated), []
    layout.report.mkdir(parents=True, exist_ok=True)
    for name, (module, draw) in FIGURES.items():
        figure = getattr(import_module(f"htp.experiment.figures.{module}"), draw)(subject)
        if figure is not None:
            written += subjects.save_pictures(figure, layout.report, name)
    return written


def _write(path: Path, text: str) -> Path:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
