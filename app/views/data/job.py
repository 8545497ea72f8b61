"""Start a command in the background by a button, show how far it is, stop it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import streamlit as st

from htp.errors import InputError
from htp_app.jobs import background

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[Callable[[int, int], None]], Any]

LOOK_S = 0.5  # from one look at the work to the next


def command_button(name: str, label: str, work: Callable[[], Work] | None) -> None:
    """Offer to start work under a name, or show how long it has taken and offer to stop it.

    `work` returns what is to be done, or raises `InputError`; None where something is missing.
    """
    if background.running(name):
        _progress(name)
        return
    trouble = background.trouble(name)
    if trouble:
        st.error(trouble, icon=":material/error:")
    if st.button(label, type="primary", disabled=work is None, icon=":material/play_arrow:", key=f"{name}-start"):
        assert work is not None
        try:
            background.start(name, work())
            st.session_state[f"{name}-since"] = time.monotonic()
            st.session_state.pop(f"{name}-made", None)
        except InputError as error:
            st.session_state[f"{name}-trouble"] = str(error)
        st.rerun()
    if work is None:
        st.caption("Give a name and choose a file first.")


@st.fragment(run_every=LOOK_S)
def _progress(name: str) -> None:
    job = background.running(name)
    if job is None or not job.running:
        st.rerun()
    seconds = time.monotonic() - st.session_state[f"{name}-since"]
    share = min(job.done / job.total, 1.0) if job.total else 0.0
    said = f"{share:.0%} done" if job.total else "Working"
    st.progress(share, text=f"{said}, {seconds:.0f} s")
    if st.button("Stop", icon=":material/stop:", key=f"{name}-stop"):
        background.stop(name)
        st.rerun()
