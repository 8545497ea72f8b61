"""Ask what is to be compared: real trips, generated trips, and what is looked for besides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from htp.prepare.table import READABLE
from htp.workspace import Kind
from htp_app.jobs import background
from htp_app.jobs.action import action
from htp_app.state import ALL, LIKE, MAX_SEED
from htp_app.views.evaluate import comparison
from htp_app.views.evaluate.choices import FILE, HELDOUT, NOW, EvaluationChoices
from htp_app.views.evaluate.comparison import MAX_FILE_MB, ComparisonRequest, Upload

if TYPE_CHECKING:
    from htp.workspace import Workspace
    from htp_app.model import Model

NAME = "evaluation"  # of the choices and of the work
NO_TRAIN = "Do not look"
SEED_HELP = "The same seed makes the same trips."
NO_CEILING = "Needs a model in this process: a service does not send trips through its tokenizer."
CEILING_HELP = (
    "Sends the real trips through the tokenizer and back as well: what the language model could reach at best. Needs "
    "prepared trips, as the held-out ones are."
)
COPIES_HELP = (
    "Looks for the closest training trip of every generated one, to see whether the generator repeats trips. The "
    "training trips are no part of a checkpoint: prepare them on the page Data and models, or put what `htp prepare` "
    "wrote into {folder}."
)


def evaluation_panel(served: Model, workspace: Workspace, choices: EvaluationChoices) -> EvaluationChoices:
    """Ask for both sides and the checks; the link follows."""
    _seed_widgets(served, workspace, choices)
    st.markdown("#### Real trips")
    offered = {HELDOUT: "Held-out trips", FILE: "A file"}
    if not len(served.heldout):
        del offered[HELDOUT]
        st.caption("The service in use does not give out its held-out trips; upload real ones.")
    side = _side("Real trips", offered, "evaluation-real")
    if side == FILE:
        _uploader("real")
        count = choices.count
    else:
        count = _count(served)
    st.markdown("#### Generated trips")
    made = _side("Generated trips", {NOW: "Make now", FILE: "A file"}, "evaluation-generated")
    seed = choices.seed
    if made == FILE:
        _uploader("generated")
    else:
        seed = int(st.number_input("Seed", 0, MAX_SEED, key="evaluation-seed", help=SEED_HELP))
    with st.expander("Further checks", icon=":material/policy:"):
        here = served.remote is None
        ceiling = st.toggle(
            "Tokenizer's ceiling",
            key="evaluation-ceiling",
            help=CEILING_HELP if here else NO_CEILING,
            disabled=not here,
        )
        train = _train(workspace)
    return replace(
        choices, real=side or HELDOUT, generated=made or NOW, count=count, seed=seed, ceiling=ceiling, train=train
    )


def _side(label: str, words: dict[str, str], key: str) -> str | None:
    return st.segmented_control(
        label, list(words), key=key, format_func=words.__getitem__, label_visibility="collapsed", width="stretch"
    )


def asked_of(workspace: Workspace, choices: EvaluationChoices) -> ComparisonRequest | None:
    """Return what the choices ask for; None where a file is missing yet."""
    uploads = {side: _uploaded(side) for side in ("real", "generated")}
    chosen = {"real": choices.real, "generated": choices.generated}
    if any(chosen[side] == FILE and uploads[side] is None for side in chosen):
        return None
    real, generated = (uploads[side] if chosen[side] == FILE else None for side in chosen)
    train = None if choices.train is None else workspace.existing(Kind.trips, choices.train)
    count, seed = (choices.count if real is None else None), (choices.seed if generated is None else 0)
    return ComparisonRequest(real, generated, count, seed, choices.ceiling, train)


def evaluation_button(
    served: Model, choices: EvaluationChoices, asked: ComparisonRequest | None, *, ready: bool
) -> None:
    """Offer to evaluate what has not been evaluated, or show how far that is."""
    if ready and not background.running(NAME):
        st.caption(":material/check_circle: Evaluated; change something above to evaluate anew.")
        return
    if asked is None:
        st.caption(":material/upload_file: Choose the file first.")
    work = None if asked is None else (lambda: comparison.work_for(served, asked))
    action(NAME, "Evaluate", work, at_once=choices.show and asked is not None)


def _seed_widgets(served: Model, workspace: Workspace, choices: EvaluationChoices) -> None:
    """Give the widgets the values of the link, or of the visit before."""
    for name in ("real", "generated", "seed", "ceiling"):
        st.session_state.setdefault(f"evaluation-{name}", getattr(choices, name))
    if served.remote is not None:
        st.session_state["evaluation-ceiling"] = False
    if not len(served.heldout):
        st.session_state["evaluation-real"] = FILE
    total = len(served.heldout)
    count = ALL if choices.count is None or choices.count >= total else str(choices.count)
    st.session_state.setdefault("evaluation-count", count)
    names = [entry.name for entry in workspace.entries(Kind.trips) if entry.whole]
    if st.session_state.setdefault("evaluation-train", choices.train or NO_TRAIN) not in names:
        st.session_state["evaluation-train"] = NO_TRAIN


def _count(served: Model) -> int | None:
    total = len(served.heldout)
    options = [*(str(count) for count in LIKE if count < total), ALL]
    if st.session_state["evaluation-count"] not in options:
        st.session_state["evaluation-count"] = ALL
    text = st.selectbox(
        "How many",
        options,
        key="evaluation-count",
        format_func=lambda text: f"All {total:,}" if text == ALL else f"{int(text):,} held-out trips",
        help=f"These {served.real_word} trips were never trained on. More of them leave less to chance.",
    )
    return None if text == ALL else int(text)


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


def _train(workspace: Workspace) -> str | None:
    names = [entry.name for entry in workspace.entries(Kind.trips) if entry.whole]
    name = st.selectbox(
        "Copies of training trips",
        [NO_TRAIN, *names],
        key="evaluation-train",
        help=COPIES_HELP.format(folder=workspace.folder / Kind.trips.value),
    )
    return None if name == NO_TRAIN else name
