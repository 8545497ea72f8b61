"""The one big button of a page: start work in the background, see how far it is, stop it, take its result.

A session knows its work by a name, one at a time under each; the last result stays until another comes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import streamlit as st

from htp.errors import InputError
from htp_app.components.markup import without_pictures
from htp_app.jobs.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[Callable[[int, int], None]], Any]
    Words = Callable[[Job[Any]], str]

WAIT_S, SLICE_S = 0.5, 0.05  # that a page waits for the work to end before it shows progress, a piece at a time
LOOK_S = 0.3  # from one look at the work to the next


def trips_done(job: Job[Any]) -> str:
    """Say how far work on trips is."""
    return f"{job.done:,} of {job.total:,} trips" if job.done else "Starting …"


def action(
    name: str,
    label: str,
    work: Callable[[], Work] | None,
    *,
    at_once: bool = False,
    words: Words = trips_done,
    news: Callable[[], bool] = lambda: False,
) -> None:
    """Offer to start work under a name, or show its progress and offer to stop it.

    `work` returns what is to be done, or raises `InputError`; None where something is missing. `at_once`: a link asked
    for the result, so nobody needs to press. The page runs anew when the work has ended, and when there is `news`.
    """
    job = running(name)
    if job is not None:
        progress(job, words, news, name)
        return
    trouble = st.session_state.pop(f"{name}-trouble", None)
    if trouble:
        st.error(without_pictures(trouble))
    pressed = st.button(
        label,
        key=f"{name}-start",
        type="primary",
        width="stretch",
        disabled=work is None,
        icon=":material/play_arrow:",
    )
    if work and (pressed or (at_once and not trouble)):
        try:
            st.session_state[f"{name}-job"] = Job(work())
        except InputError as error:
            st.session_state[f"{name}-trouble"] = str(error)
        st.rerun()


def progress(job: Job[Any], words: Words, news: Callable[[], bool] = lambda: False, name: str | None = None) -> None:
    """Show how far a job is and, where it has a name, offer to stop it; run the page anew when it has ended."""
    begun = time.monotonic()
    while job.running and time.monotonic() - begun < WAIT_S:
        job.wait(SLICE_S)
        st.session_state.get(f"{name}-job")  # looking there is how a run learns that somebody has clicked, and ends
    _progress(job, words, news, name)


@st.fragment(run_every=LOOK_S)
def _progress(job: Job[Any], words: Words, news: Callable[[], bool], name: str | None) -> None:
    """Look at the job, and never wait for it.

    Streamlit notes once a session which page is wanted: a run that begins notes its own, and `st.navigation` looks it
    up. A rerun by `st.rerun` that begins between the two of a click on the menu takes the click away. So few runs ask
    for another and all are short; `htp_app.main` looks the page up before it shows anything; and `htp_app.model`
    freezes what is loaded: looking for garbage in it took 0.3 s of processor time between `st.rerun` and its run.
    """
    if not job.running or news():
        st.rerun()
    st.progress(min(job.done / job.total, 1.0) if job.total else 0.0, text=words(job))
    if name and st.button("Stop", key=f"{name}-stop", width="stretch", icon=":material/stop:"):
        stop(name)
        st.rerun()


def running(name: str) -> Job[Any] | None:
    """Return the job that was started under this name and whose result has not been taken."""
    return st.session_state.get(f"{name}-job")


def stop(name: str) -> None:
    """Ask the work of this name to stop, and forget it."""
    job = st.session_state.pop(f"{name}-job", None)
    if job is not None:
        job.stop()


def result(name: str) -> Any | None:
    """Return the last result of work of this name; None where there is none.

    What was wrong with the input of work that has ended is said by its `action`; anything else that it raised is
    raised here.
    """
    job = running(name)
    if job is not None and not job.running:
        del st.session_state[f"{name}-job"]
        if job.crash is not None:
            raise job.crash
        if job.error is not None:
            st.session_state[f"{name}-trouble"] = str(job.error)
        if job.result is not None:
            st.session_state[f"{name}-result"] = job.result
    return st.session_state.get(f"{name}-result")


def forget(name: str) -> None:
    """Let the last result of work of this name go."""
    st.session_state.pop(f"{name}-result", None)
