"""The line of words on the page Generate, driven without a browser."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from driving import finished, opened, query

import htp_app.model
from htp.city.addresses import corner_of, middle_of
from htp_app.views.generate.ask import CHIPS, EXAMPLE, WORDS
from htp_app.views.generate.question import is_exact, question_of

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

MAIN = Path(htp_app.model.__file__).parent / "main.py"
LINE = "6 trips from Calle 0 to Avenida 4, Friday 17:30, a point every 5 s, in 5 minutes, seed 9"


def asked(text: str, page: AppTest | None = None, **link: str) -> AppTest:
    """Write a line of words and press Enter."""
    page = opened(MAIN, **link) if page is None else page
    page.text_input(key=WORDS).set_value(text).run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    """Return what stands below the line, without its tags."""
    return " ".join(one.proto.body for one in page.get("html") if "class='asked'" in one.proto.body)


def chips(page: AppTest) -> list[str]:
    return [option.content.replace("\\", "") for option in page.button_group(key=CHIPS).proto.options]


def test_words_fill_every_control(checkpoint, grid):
    page = asked(LINE)
    assert page.number_input(key="count").value == 6
    assert page.selectbox(key="interval").value == 5
    assert page.number_input(key="seed").value == 9
    assert page.radio(key="travel_time").value == "Set"
    assert page.number_input(key="minutes").value == 5.0
    assert page.date_input(key="date").value == dt.date(2024, 5, 17)
    assert page.time_input(key="time").value == dt.time(17, 30)
    assert page.session_state["choices"].via == (middle_of(grid, "Calle 0"), middle_of(grid, "Avenida 4"))
    assert query(page)["depart"] == "2024-05-17T17:30"
    assert [button.disabled for button in page.button if button.label == "Generate"] == [False]
    assert chips(page) == [
        "Calle 0 → Avenida 4", "6 trips", "Fri 17 May 2024", "17:30", "in 5 min", "every 5 s", "seed 9",
    ]  # fmt: skip
    assert not said(page)


def test_a_chip_that_is_taken_away_puts_back_what_was_before_and_again_what_was_said(checkpoint):
    page = asked("6 trips, 17:30", n="3")
    page.button_group(key=CHIPS).set_value(["17:30"]).run()
    assert (page.number_input(key="count").value, query(page)["n"]) == (3, "3")
    assert page.time_input(key="time").value == dt.time(17, 30)
    assert page.session_state[CHIPS] == ["17:30"]
    page.button_group(key=CHIPS).set_value(["17:30", "6 trips"]).run()
    assert page.number_input(key="count").value == 6


def test_a_chip_whose_control_is_changed_is_no_longer_on(checkpoint):
    page = asked("6 trips, 17:30")
    page.number_input(key="count").set_value(8).run()
    assert page.session_state[CHIPS] == ["17:30"]
    assert query(page)["n"] == "8"


def test_a_value_beyond_its_limit_is_said_and_nothing_is_cut(checkpoint):
    page = asked("600 trips every 0.5 s in 9 hours, seed 99999999999, 1 May 2150", n="7")
    words = said(page)
    for part in (
        "600 trips are not possible: 1 to 500 at a time; it stays at 7.",
        "A point every 0.5 s is not possible: whole seconds from 1 to 120.",
        "A travel time of 540 min is not possible",
        "A seed of 99999999999 is not possible",
        "1 May 2150 is out of reach",
    ):
        assert part in words
    assert page.number_input(key="count").value == 7
    assert page.radio(key="travel_time").value == "From the model"


def test_the_models_own_interval_is_chosen_by_its_number(checkpoint):
    page = asked("every 15 s", interval="5")
    assert page.selectbox(key="interval").value == 15
    assert "interval" not in query(page)


def test_a_corner_and_coordinates_latitude_first(checkpoint, grid, place):
    lon, lat = place(0, 0)
    page = asked(f"from {lat:.6f}, {lon:.6f} to Calle 3 and Avenida 2")
    start, end = page.session_state["choices"].via
    assert start == pytest.approx((lon, lat), abs=1e-6)
    assert end == corner_of(grid, "Calle 3", "Avenida 2")


def test_an_end_alone_moves_the_end_of_the_route_that_is_there(checkpoint, grid):
    page = asked("from Calle 0 to Avenida 4 via Avenida 2")
    page = asked("to Calle 3", page)
    first, _, last = page.session_state["choices"].via
    assert (first, last) == (middle_of(grid, "Calle 0"), middle_of(grid, "Calle 3"))
    assert chips(page) == ["→ Calle 3"]


def test_an_end_without_a_start_is_a_sentence(checkpoint):
    page = asked("to Calle 3")
    assert "Where the trips start is not said" in said(page)
    assert page.session_state["choices"].via == ()


def test_what_was_not_understood_is_quoted_as_text(checkpoint):
    page = asked("<b>bring</b> cake, from Calle 77 to Avenida 4")
    assert "&lt;b&gt;bring&lt;/b&gt; cake" in said(page)
    assert "“Calle 77”" in said(page)


@pytest.mark.parametrize(
    "text", ["x" * 10_000, "😀", "12", "![a](b) :smile: $x$", "<script>alert(1)</script>", "from to"]
)
def test_any_words_are_answered_with_a_sentence(checkpoint, text):
    page = asked(text)
    assert said(page)
    assert not [box for box in page.error if box.value]


def test_an_empty_line_takes_the_answer_away(checkpoint):
    page = asked("  ", asked("6 trips, cake"))
    assert not said(page)
    assert page.number_input(key="count").value == 6


def test_the_example_is_of_streets_that_are_there(checkpoint):
    page = opened(MAIN)
    placeholder = page.text_input(key=WORDS).placeholder
    assert placeholder.startswith(EXAMPLE.split("{}", maxsplit=1)[0])
    assert not said(asked(placeholder, page))


def test_the_sentence_that_the_language_model_reads_stands_beside_the_trips(checkpoint):
    page = asked(LINE)
    next(button for button in page.button if button.label == "Generate").click().run()
    finished(page, "generate-job")
    (question,) = [one.proto.body for one in page.get("html") if "class='question'" in one.proto.body]
    assert "Friday 17:30, 5 min 00 s, " in question
    assert "every 15 s, 21 points." in question
    assert "For trip 1<" in question


def test_a_sentence_that_follows_from_the_trip_roughly_says_so(checkpoint):
    page = asked("3 trips from Calle 0 to Avenida 4, every 7 s")
    next(button for button in page.button if button.label == "Generate").click().run()
    made = finished(page, "generate-job").session_state["generate-result"]
    assert is_exact(made, 15.0)
    without = replace(made, trips=made.trips.drop(columns=["anchors", "length_token", "patterns"]))
    assert not is_exact(without, 15.0)
    assert is_exact(without, 7.0)
    served = htp_app.model.current()
    points = [int(re.search(r"(\d+) points", question_of(one, served, 0))[1]) for one in (made, without)]
    assert abs(points[0] - points[1]) <= 1
