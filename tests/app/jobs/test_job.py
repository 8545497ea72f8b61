"""Work in the background."""

from __future__ import annotations

import threading

from htp.errors import InputError
from htp_app.jobs.job import Job

SOON = 10.0  # seconds


def test_a_job_reports_progress_and_its_result():
    job = Job(lambda progress: (progress(3, 4), "done")[1])
    job.wait(SOON)
    assert (job.running, job.result, job.done, job.total) == (False, "done", 3, 4)


def test_a_stopped_job_ends_at_its_next_report_without_a_result():
    reached = threading.Event()
    go_on = threading.Event()

    def work(progress) -> str:
        reached.set()
        go_on.wait(SOON)
        progress(1, 2)
        return "never"

    job = Job(work)
    reached.wait(SOON)
    assert job.running
    job.stop()
    go_on.set()
    job.wait(SOON)
    assert (job.running, job.result, job.error, job.crash) == (False, None, None, None)


def test_a_mistake_in_the_input_is_kept_as_a_sentence():
    def work(progress) -> None:
        raise InputError("too short")

    job = Job(work)
    job.wait(SOON)
    assert str(job.error) == "too short"
    assert job.crash is None


def test_a_crash_is_kept_for_the_page_to_raise():
    job = Job(lambda _: 1 / 0)
    job.wait(SOON)
    assert isinstance(job.crash, ZeroDivisionError)
    assert job.error is None
