"""Keep a page's work in the background: a job a name in the session, started, watched and collected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from htp_app.jobs.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable


def start(name: str, work: Callable[[Callable[[int, int], None]], Any]) -> None:
    """Start work for this session under a name; what still ran under it is stopped."""
    stop(name)
    st.session_state[f"{name}-job"] = Job(work)


def running(name: str) -> Job[Any] | None:
    """Return the job that was started under this name and has not been collected."""
    return st.session_state.get(f"{name}-job")


def stop(name: str) -> None:
    """Ask the work of this name to stop, and forget it."""
    job = st.session_state.pop(f"{name}-job", None)
    if job is not None:
        job.stop()


def collect(name: str) -> Any | None:
    """Return the result of work that has ended; None while it runs, or where there is none.

    What is wrong with the input is kept for `trouble`; anything else that the work raised is raised here.
    """
    job = running(name)
    if job is None or job.running:
        return None
    del st.session_state[f"{name}-job"]
    if job.crash is not None:
        raise job.crash
    if job.error is not None:
        st.session_state[f"{name}-trouble"] = str(job.error)
    return job.result


def trouble(name: str) -> str | None:
    """Return, once, the sentence on what was wrong with the input of the last work."""
    return st.session_state.pop(f"{name}-trouble", None)
