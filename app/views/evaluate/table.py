"""Show an evaluation as a table: every metric in plain words, beside its noise floor, with a bar of how many floors."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from htp.evaluate.apart import Apart, floors_apart, verdict
from htp.evaluate.calibration import LEVELS
from htp.evaluate.closest import NEAR_COPY_M
from htp.evaluate.report import CALIBRATED
from htp.evaluate.stops import ALL_DAY, BANDS
from htp.evaluate.told_apart import FEWEST
from htp_app.components.figures import figures
from htp_app.components.markup import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htp.evaluate import Closest, Report, Validity
    from htp.evaluate.calibration import Calibration
    from htp.evaluate.report import Line
    from htp.evaluate.stops import StopFigure
    from htp.evaluate.told_apart import ToldApart


class MetricLabel(NamedTuple):
    """What a metric is called and what it compares."""

    title: str
    meaning: str


WORDS = {
    "T-Dist": MetricLabel("Travel distance", "metres driven from the first point to the last"),
    "S-Dist": MetricLabel("Step distance", "metres from each point to the next"),
    "Radius": MetricLabel("Radius", "metres that a trip spreads around its centre"),
    "G-Den": MetricLabel("Cell density", "share of the points in each cell of 100 m"),
    "G-Pat": MetricLabel("Busiest cells", "share of the 100 busiest cells in common"),
    "R-Den": MetricLabel("Road density", "share of the points on each road"),
    "R-Pat": MetricLabel("Busiest roads", "share of the 100 busiest roads in common"),
    "PR-Dist": MetricLabel("Distance from the road", "metres that a point lies beside its road"),
    "Length": MetricLabel("Length", "points that a trip has"),
    "Speed": MetricLabel("Speed", "km/h from each point to the next"),
    "Acceleration": MetricLabel("Acceleration", "change of speed from step to step, m/s²"),
    "Hour of day": MetricLabel("Hour of day", "when points are recorded"),
    "Speed by hour": MetricLabel("Speed by hour", "km/h within each hour of the day"),
}
LABELS = {Apart.noise: "within noise", Apart.close: "close", Apart.far: "apart"}
FULL = 8.0  # noise floors at the end of the bar
VALIDITY = {
    "on_route": "On the route asked for",
    "points": "Number of points",
    "time": "Travel time within 2 %",
    "distance": "Distance within 2 %",
}


def metrics_table(lines: Sequence[Line], level_percent: float) -> str:
    """Return the metrics as HTML, a row each."""
    ceiling = any(line.ceiling is not None for line in lines)
    heads = ["Metric", "Value", f"{level_percent:g} % interval", "Noise floor", "Away from perfect, in noise floors"]
    heads += ["Tokenizer's ceiling"] if ceiling else []
    head = "".join(f"<th scope='col'>{text}</th>" for text in heads)
    rows = "".join(_row(line, ceiling=ceiling) for line in lines)
    return f"<table class='metrics'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(line: Line, *, ceiling: bool) -> str:
    words = WORDS.get(line.name, MetricLabel(line.name, ""))
    better = "↓ 0 is perfect" if line.low_is_good else "↑ 1 is perfect"
    code = "" if words.title == line.name else f" <span>{escaped(line.name)}</span>"
    cells = [
        f"<th scope='row'><b>{escaped(words.title)}</b>{code}<small>{escaped(words.meaning)}</small></th>",
        f"<td><b>{_number(line.value)}</b><small>{better}</small></td>",
        f"<td>{_number(line.bootstrap.low)} – {_number(line.bootstrap.high)}</td>",
        f"<td>{_number(line.floor)}</td>",
        f"<td>{_bar(line)}</td>",
    ]
    if ceiling:
        cells.append(f"<td>{'' if line.ceiling is None else _number(line.ceiling)}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _bar(line: Line) -> str:
    times, found = floors_apart(line), verdict(line)
    width = 100.0 if times is None else 100.0 * min(times, FULL) / FULL
    said = "beyond" if times is None else f"{times:.1f} ×"
    return (
        f"<div class='floors {escaped(found.name)}'><i><u style='width:{width:.1f}%'></u></i>"
        f"<span><b>{said}</b> {escaped(LABELS[found])}</span></div>"
    )


def _number(value: float) -> str:
    return f"{value:.4f}"


def summary(report: Report, notes: Sequence[str], real_word: str) -> None:
    """Say in a line what was compared, how it went, and what was left out."""
    counts = {found: sum(verdict(line) is found for line in report.lines) for found in Apart}
    sizes = report.sizes
    st.markdown(
        f"**{counts[Apart.noise]} of {len(report.lines)} metrics within noise**, {counts[Apart.close]} close, "
        f"{counts[Apart.far]} apart. {sizes['generated'].trips:,} generated trips "
        f"({sizes['generated'].points:,} points) against {sizes['real'].trips:,} {real_word} ones "
        f"({sizes['real'].points:,} points)."
    )
    for note in notes:
        st.caption(f":material/info: {note}")


def calibration_table(found: Calibration | None) -> None:
    """Say whether several draws for the same conditions spread as they should."""
    st.markdown("##### Do draws for the same conditions spread as they should?")
    if found is None:
        st.caption("Not asked: switch on Calibration under Further checks.")
        return
    heads = ("Quantity", *(f"Real within the {level:.0%} interval" for level in LEVELS), "CRPS", "CRPS of a draw")
    rows = [
        (one.quantity, *(f"{share:.1%}" for share in one.coverage), f"{one.crps:,.1f}", f"{one.crps_of_draws:,.1f}")
        for one in found.spreads
    ]
    st.html(_plain_table(heads, rows))
    st.caption(f"{found.draws} draws for each of {found.trips:,} trips, travel times drawn as well. {CALIBRATED}")


def stops_table(found: Sequence[StopFigure]) -> None:
    """Compare stops and driving near junctions, all day and by its parts."""
    bands = [band for band in BANDS if band != ALL_DAY]
    parts = (f"{band}, {BANDS[band][0]}–{BANDS[band][1]} h" for band in bands)
    heads = ("Stops and junctions", "Real", "Generated", "Generated / real", "95 % interval", *parts)
    ratios = {(one.name, one.band): f"{one.generated / one.real:.2f}" for one in found}
    rows = [
        (
            one.name,
            f"{one.real:.3g}",
            f"{one.generated:.3g}",
            ratios[one.name, ALL_DAY],
            f"{one.low:.2f} – {one.high:.2f}",
            *(ratios.get((one.name, band), "") for band in bands),
        )
        for one in found
        if one.band == ALL_DAY
    ]
    st.html(_plain_table(heads, rows))
    st.caption("Generated / real, by part of the day on the right. Near: within 50 m of where three streets meet.")


def _plain_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th scope='col'>{text}</th>" for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escaped(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table class='metrics'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def validity_table(checked: Validity | None) -> None:
    """Say whether the generated trips keep to what was asked for."""
    st.markdown("##### Do trips keep to what was asked?")
    if checked is None:
        st.caption("Not checked: the generated trips have other ids than the real ones, so they were asked otherwise.")
        return
    shares = {title: getattr(checked, name) for name, title in VALIDITY.items()}
    said = {title: "not given" if share is None else f"{share:.1%}" for title, share in shares.items()}
    st.html(figures(said.items(), "four"))


def closest_table(closest: Closest | None, folder: str) -> None:
    """Say whether the generated trips are copies of training trips."""
    st.markdown("##### Are they copies of training trips?")
    if closest is None:
        st.caption(
            "Not checked: training trips are no part of a checkpoint. Choose prepared trips under Further checks; what "
            f"`htp prepare` wrote is found in {folder}."
        )
        return
    made, real = closest.generated, closest.heldout
    cells = (
        ("Near copies", f"{made.near_copies:.2%}"),
        ("Near copies, real trips", f"{real.near_copies:.2%}"),
        ("Closest training trip, median", f"{made.median_m:,.0f} m"),
        ("The same of real trips", f"{real.median_m:,.0f} m"),
    )
    st.html(figures(cells, "four"))
    st.caption(
        f"Among {closest.train:,} training trips. A near copy is closer than {closest.limit_m:.0f} m on the mean over "
        f"the trip (never more than {NEAR_COPY_M:.0f} m). The real trips were not trained on and are the reference."
    )


def told_table(told: ToldApart | None) -> None:
    """Say whether a classifier tells generated trips from real ones, and by what."""
    st.markdown("##### Can a classifier tell them apart?")
    if told is None:
        st.caption(f"Not asked: it takes {FEWEST} trips of each side.")
        return
    st.html(
        figures((("AUC; 0.5 is chance", f"{told.auc:.3f}"), ("95 % interval", f"{told.low:.3f} – {told.high:.3f}")))
    )
    heads = ("What gives them away", "Real, median", "Generated, median", "AUC of this alone")
    rows = [(one.name, f"{one.real:.4g}", f"{one.generated:.4g}", f"{one.auc:.3f}") for one in told.telling]
    st.html(_plain_table(heads, rows))
    st.caption(
        "AUC: of one generated and one real trip, how often gradient boosting finds the generated one by how it moves. "
        f"{told.real:,} real and {told.generated:,} generated trips; lengths in metres, speeds in m/s."
    )
