"""Evaluate generated trips against real ones by the paper's metrics, each beside its noise floor."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from htp.city.credit import credit_text
from htp.workspace import Kind
from htp_app import model
from htp_app.components.heading import heading, how_to_read
from htp_app.components.markup import without_pictures
from htp_app.jobs.action import result
from htp_app.state import remember, restore
from htp_app.views.evaluate import comparison
from htp_app.views.evaluate.baselines import baselines
from htp_app.views.evaluate.choices import HELDOUT, EvaluationChoices
from htp_app.views.evaluate.controls import NAME, asked_of, evaluation_button, evaluation_panel
from htp_app.views.evaluate.table import (
    calibration_table,
    closest_table,
    metrics_table,
    stops_table,
    summary,
    told_table,
    validity_table,
)

HELP = (
    "↓ marks a divergence, from 0 (the same) to 1 (nothing in common); ↑ a similarity, from 0 to 1 (the same). **Noise "
    "floor**: what chance alone makes of trips as good as real, got from random parts of the real ones. "
    "**Bar**: how many times as far from perfect as that the generated trips are: up to 1.5 nobody can tell them from "
    "real ones by this metric, up to 3 only just. **Interval**: where the value lies if other trips are drawn."
)
EMPTY = (
    "Choose real and generated trips in the side panel and press **Evaluate**. Every trip is matched to the roads "
    "anew, which takes about 15 seconds before the first trip and some milliseconds a trip."
)


def page() -> None:
    """Ask what to compare, evaluate when asked to, show the metrics and the baselines."""
    served, workspace = model.current(), model.workspace()
    choices = restore(EvaluationChoices(), NAME)
    with st.sidebar:
        heading(served, "Measure how close generated trips come to real ones, beside what chance alone makes.")
        choices = evaluation_panel(served, workspace, choices)
        button = st.container(key="action")
        how_to_read(HELP)
    result(NAME)
    asked = asked_of(workspace, choices)
    found = None if asked is None else comparison.result_of(served, asked)
    with st.container(key="page"), st.container(key="wide"):
        _show(served, found, choices, str(workspace.folder / Kind.trips.value))
    remember(replace(choices, show=found is not None), NAME)
    with button:
        evaluation_button(served, choices, asked, ready=found is not None)


def _show(served: model.Model, found: comparison.Evaluated | None, choices: EvaluationChoices, folder: str) -> None:
    if found is None:
        st.info(EMPTY, icon=":material/fact_check:")
    else:
        report = found.report
        summary(report, found.notes, f"held-out {served.real_word}" if choices.real == HELDOUT else "real")
        st.html(metrics_table(report.lines, report.level_percent))
        if report.beyond:
            with st.expander("Beyond the paper: speeds, accelerations, hours", icon=":material/add_chart:"):
                st.html(metrics_table(report.beyond, report.level_percent))
        told_table(report.told)
        calibration_table(report.calibration)
        if report.stops:
            with st.expander("Stops, and driving near junctions", icon=":material/traffic:"):
                stops_table(report.stops)
        left, right = st.columns(2, gap="medium")
        with left:
            validity_table(report.validity)
        with right:
            closest_table(report.closest, folder)
    baselines(found.report if found else None, served.generator.city.name)
    st.caption(
        ("The trips behind this checkpoint are simulated. " if served.simulated else "")
        + without_pictures(credit_text(served.generator.city.attribution))
    )


page()
