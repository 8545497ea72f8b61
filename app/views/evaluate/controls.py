"""Ask what is to be compared: real trips, generated trips, and what is looked for besides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from htp.prepare.table import READABLE
from htp.workspace import Kind
from htp_app.components.controls import like_select, pick, seed_input
from htp_app.jobs.action import action, running
from htp_app.views.evaluate import comparison
from htp_app.views.evaluate.choices import FILE, HELDOUT, NOW, EvaluationChoices
from htp_app.views.evaluate.comparison import DRAWS, MAX_FILE_MB, ComparisonRequest, Upload

if TYPE_CHECKING:
    from htp.workspace import Workspace
    from htp_app.model import Model

NAME = "evaluation"  # of the choices and of the work
NO_TRAIN = "Do not look"
REAL_SIDES, GENERATED_SIDES = {HELDOUT: "Held-out trips", FILE: "A file"}, {NOW: "Make now", FILE: "A file"}
MORE_HELP = "These {real} trips were never trained on. More of them leave less to chance."
NO_CEILING = "Needs a model in this process: a service does not send trips through its tokenizer."
CEILING_HELP = (
    "Sends the real trips through the tokenizer and back as well: what the language model could reach at best. Needs "
    "prepared trips, as the held-out ones are."
)
CALIBRATION_HELP = (
    "Makes {draws} trips for the conditions of each of up to 200 of the real ones, travel times drawn as well, to see "
    "whether they spread around what was real as they should. Needs prepared trips, as the held-out ones are."
)
COPIES_HELP = (
    "Looks for the closest training trip of every generated one, to see whether the generator repeats trips. The "
    "training trips are no part of a checkpoint: prepare them on the page Data and models, or put what `htp prepare` "
    "wrote into {folder}."
)


def evaluation_panel(served: Model, workspace: Workspace, choices: EvaluationChoices) -> EvaluationChoices:
    """Ask for both sides and the checks; the link follows."""
    st.markdown("#### Real trips")
    offered = dict(REAL_SIDES)
    if not len(served.heldout):
        del offered[HELDOUT]
        st.caption("The service in use does not give out its held-out trips; upload real ones.")
    real = pick("Real trips", offered, choices.real if choices.real in offered else FILE, "evaluation-real", wide=True)
    count, seed = choices.count, choices.seed
    if real == FILE:
        _uploader("real")
    else:
        help_text = MORE_HELP.format(real=served.real_word)
        count = like_select(st, count, len(served.heldout), "evaluation-count", "How many", help_text)
    st.markdown("#### Generated trips")
    generated = pick("Generated trips", GENERATED_SIDES, choices.generated, "evaluation-generated", wide=True)
    if generated == FILE:
        _uploader("generated")
    else:
        seed = seed_input(st, seed, "evaluation-seed")
    with st.expander("Further checks", icon=":material/policy:"):
        here = served.remote is None
        ceiling = st.toggle(
            "Tokenizer's ceiling",
            choices.ceiling and here,
            key="evaluation-ceiling",
            help=CEILING_HELP if here else NO_CEILING,
            disabled=not here,
        )
        calibration = st.toggle(
            "Calibration", choices.calibration, key="evaluation-calibration", help=CALIBRATION_HELP.format(draws=DRAWS)
        )
        train = _train(workspace, choices.train)
    sides = replace(choices, real=real, generated=generated, count=count, seed=seed)
    return replace(sides, ceiling=ceiling, calibration=calibration, train=train)


def asked_of(workspace: Workspace, choices: EvaluationChoices) -> ComparisonRequest | None:
    """Return what the choices ask for; None where a file is missing yet."""
    uploads = {side: _uploaded(side) for side in ("real", "generated")}
    chosen = {"real": choices.real, "generated": choices.generated}
    if any(chosen[side] == FILE and uploads[side] is None for side in chosen):
        return None
    real, generated = (uploads[side] if chosen[side] == FILE else None for side in chosen)
    train = None if choices.train is None else workspace.existing(Kind.trips, choices.train)
    count, seed = (choices.count if real is None else None), (choices.seed if generated is None else 0)
    return ComparisonRequest(real, generated, count, seed, choices.ceiling, choices.calibration, train)


def evaluation_button(
    served: Model, choices: EvaluationChoices, asked: ComparisonRequest | None, *, ready: bool
) -> None:
    """Offer to evaluate what has not been evaluated, or show how far that is."""
    if ready and not running(NAME):
        st.caption(":material/check_circle: Evaluated; change something above to evaluate anew.")
        return
    if asked is None:
        st.caption(":material/upload_file: Choose the file first.")
    work = None if asked is None else (lambda: comparison.work_for(served, asked))
    action(NAME, "Evaluate", work, at_once=choices.show and asked is not None)


def _uploader(side: str) -> None:
    st.file_uploader(
        "GeoParquet, GeoJSON, CSV or GPX",
        type=[ending[1:] for ending in READABLE],
        key=f"evaluation-file-{side}",
        max_upload_size=MAX_FILE_MB,
        help="GeoParquet or GeoJSON as HTP writes them, a CSV of points (trip_id, time, lon, lat), Porto's CSV, GPX.",
    )


def _uploaded(side: str) -> Upload | None:
    file = st.session_state.get(f"evaluation-file-{side}")
    if file is None:
        return None
    known = st.session_state.get(f"evaluation-upload-{side}")
    if known is None or known[0] != file.file_id:  # a fingerprint of 50 MB takes too long for every run
        known = st.session_state[f"evaluation-upload-{side}"] = (file.file_id, Upload.of(file.name, file.getvalue()))
    upload: Upload = known[1]
    return upload


def _train(workspace: Workspace, chosen: str | None) -> str | None:
    names = [entry.name for entry in workspace.entries(Kind.trips) if entry.whole]
    name = st.selectbox(
        "Copies of training trips",
        [NO_TRAIN, *names],
        names.index(chosen) + 1 if chosen in names else 0,
        key="evaluation-train",
        help=COPIES_HELP.format(folder=workspace.folder / Kind.trips.value),
    )
    return None if name == NO_TRAIN else name
