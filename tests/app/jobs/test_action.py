"""The button that starts work and shows how far it is."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from driving import finished
from streamlit.testing.v1 import AppTest

import htp_app.model
from htp.errors import InputError
from htp_app.jobs import action

if TYPE_CHECKING:
    from collections.abc import Callable

SOON = 20.0  # seconds
PAGE = """
import streamlit as st
from htp_app.jobs.action import action, result
made = result("it")
st.text(f"made {made}")
action("it", "Make it", st.session_state.get("how"), at_once=st.session_state.get("wanted", False) and made is None)
"""


def page_with(how: Callable | None, **kept: object) -> AppTest:
    """Return a page with one button that starts what `how` returns."""
    page = AppTest.from_string(PAGE, default_timeout=60)
    page.session_state["how"] = how
    for name, value in kept.items():
        page.session_state[name] = value
    return page.run()


def test_work_is_started_by_its_button_and_its_result_stays():
    page = page_with(lambda: lambda progress: (progress(3, 3), "three")[1])
    assert page.text[0].value == "made None"
    page = finished(page.button(key="it-start").click().run(), "it-job")
    assert page.text[0].value == "made three"
    assert page.run().text[0].value == "made three"


def test_nothing_can_be_started_where_something_is_missing_and_a_link_needs_no_click():
    assert page_with(None).button(key="it-start").disabled
    page = finished(page_with(lambda: lambda _: "at once", wanted=True), "it-job")
    assert page.text[0].value == "made at once"


@pytest.mark.parametrize("late", [False, True], ids=["before it starts", "while it works"])
def test_what_is_wrong_is_said_once_and_not_tried_again(late: bool):  # noqa: FBT001  a parameter
    def wrong(*_: object) -> None:
        raise InputError("too short")

    page = finished(page_with((lambda: wrong) if late else wrong, wanted=True), "it-job")
    assert [error.value for error in page.error] == ["too short"]


def test_stop_is_heard_and_the_button_is_there_again():
    go_on = threading.Event()

    def work(progress) -> str:
        progress(1, 4)
        go_on.wait(SOON)
        progress(2, 4)
        return "never"

    page = page_with(lambda: work)
    page = page.button(key="it-start").click().run()
    job = page.session_state["it-job"]
    page.button(key="it-stop").click().run()
    go_on.set()
    job.wait(SOON)
    assert (job.running, job.result) == (False, None)
    assert page.run().button(key="it-start").label == "Make it"


def test_a_look_at_work_never_waits_for_it(monkeypatch):
    """A run that waits stands in the way of the run that a click on the menu asks for."""
    monkeypatch.setattr(action, "WAIT_S", 0.0)
    waited, ends = [], threading.Event()
    monkeypatch.setattr(action.Job, "wait", lambda *_: waited.append(True))
    page = page_with(lambda: lambda _: ends.wait(SOON))
    page = page.button(key="it-start").click().run()
    assert page.button(key="it-stop").label == "Stop"
    assert waited == []
    ends.set()


def test_the_menu_is_read_before_anything_is_shown_and_what_is_loaded_is_not_looked_through_for_garbage(checkpoint):
    """Otherwise a click on the menu is lost where a page runs anew at that moment, see `htp_app.jobs.action`."""
    main = Path(htp_app.model.__file__).with_name("main.py").read_text(encoding="utf-8")
    body = main.split("def main()")[1]
    assert body.index("_chosen()") < min(body.index(shown) for shown in ("st.logo", "st.html", "model.current"))
    before = gc.get_freeze_count()
    try:
        htp_app.model.load_model(str(checkpoint))
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
