"""Put an evaluation beside the results of `htp experiment run`, where there are any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from htp.errors import InputError
from htp.experiment.layout import Layout
from htp.experiment.results import LENGTH, METRICS, load
from htp.experiment.tables import BEST, DIGITS, SECOND, ResultTable, table_1
from htp_app.components.markup import escaped, without_pictures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from htp.evaluate import Report
    from htp.experiment.results import Row

RESULTS = Path("docs/results")  # in the folder that the app is started from; an experiment a folder, or itself one
MARKS = {BEST: "<b>{}</b>", SECOND: "<u>{}</u>"}
COMMAND = "htp experiment run DATA --city CITY --out docs/results/NAME --budget 20m"


def baselines(report: Report | None, city: str) -> None:
    """Draw the paper's Table 1 of every experiment in this city, the evaluation on top; say how to make one."""
    st.markdown("##### Beside the baselines")
    found = False
    for folder in experiments(RESULTS):
        try:
            rows = load(Layout(folder))
        except InputError as error:
            st.warning(without_pictures(str(error)), icon=":material/report:")
            continue
        table = table_1(rows) if rows[0].any.data["city"] == city else None
        if table is not None:
            found = True
            st.html(_html(table, None if report is None else _own(report, table)))
            st.caption(" ".join([*table.notes, _comparability(report, rows)]))
    if not found:
        st.caption(f"There are no results of {city} in {RESULTS} yet. This trains and measures the paper's baselines:")
        st.code(COMMAND, language="bash")


def experiments(folder: Path) -> list[Path]:
    """Return the folders of experiments: the folder itself or those in it."""
    return [one for one in (folder, *sorted(folder.glob("*/"))) if Layout(one).results()]


def _own(report: Report, table: ResultTable) -> list[str]:
    row = ["This evaluation", *(f"{report[name].value:.{DIGITS}f}" for name in (*METRICS, LENGTH))]
    return row + [""] * (len(table.texts.columns) - len(row))


def _comparability(report: Report | None, rows: list[Row]) -> str:
    heldout = int(rows[0].any.data["used"]["heldout"])
    if report is None or report.sizes["real"].trips == heldout:
        return ""
    return (
        f"This evaluation is of {report.sizes['real'].trips:,} real trips, the experiment of {heldout:,}: fewer trips "
        "leave more to chance."
    )


def _html(table: ResultTable, own: list[str] | None) -> str:
    head = "".join(f"<th scope='col'>{escaped(column)}</th>" for column in table.texts.columns)
    first = "" if own is None else f"<tr class='own'>{_cells(own)}</tr>"
    rows = "".join(f"<tr>{_cells(row)}</tr>" for row in table.marked(MARKS, escaped).itertuples(index=False))
    return f"<table class='baselines'><thead><tr>{head}</tr></thead><tbody>{first}{rows}</tbody></table>"


def _cells(row: Iterable[str]) -> str:
    return "".join(f"<td>{cell}</td>" for cell in row)
