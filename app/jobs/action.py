"""The one big button of a page: start work in the background, see how far it is, stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from htp.errors import InputError
from htp_app.jobs import background

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[Callable[[int, int], None]], Any]

WAIT_S = 0.5  # for the work to end before its progress is shown; the end itself is shown at once
POLL_S = 0.1  # from one such wait to the next


def action(name: str, label: str, work: Callable[[], Work] | None, *, at_once: bool) -> None:
    """Offer to start work under a name, or show its progress and offer to stop it.

    `work` returns what is to be done, or raises `InputError`; None where something is missing. `at_once`: a link asked
    for the result, so nobody needs to press.
    """
    if background.running(name):
        _progress(name)
        return
    trouble = background.trouble(name)
    if trouble:
        st.error(trouble)
    pressed = st.button(label, type="primary", width="stretch", disabled=work is None, icon=":material/play_arrow:")
    if work and (pressed or (at_once and not trouble)):
        try:
            background.start(name, work())
        except InputError as error:
            st.session_state[f"{name}-trouble"] = str(error)
        st.rerun()


@st.fragment(run_every=POLL_S)
def _progress(name: str) -> None:
    """Show how far the work is; look again soon."""
    job = background.running(name)
    if job is not None:
        job.wait(WAIT_S)
    if job is None or not job.running:
        st.rerun()
    share = job.done / job.total if job.total else 0.0
    st.progress(share, text=f"{job.done:,} of {job.total:,} trips" if job.done else "Starting …")
    if st.button("Stop", width="stretch", icon=":material/stop:"):
        background.stop(name)
        st.rerun()
