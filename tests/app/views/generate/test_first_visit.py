"""The examples for a first visitor, driven without a browser: each leads to something to see."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from driving import finished, labels, opened, query

import htp_app.model
from htp_app.state import Choices
from htp_app.views.generate.first_visit import examples

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

MAIN = Path(htp_app.model.__file__).parent / "main.py"
START = Choices(depart=dt.datetime.combine(dt.date(2024, 5, 14), dt.time(8)))


def offered(page: AppTest) -> list[str]:
    """Return the keys of the examples on the page."""
    return [button.key for button in page.button if button.key and button.key.startswith("example-")]


def choose(page: AppTest, view: str) -> AppTest:
    page.button(key=f"example-{view}").click().run()
    return finished(page, "generate-job", "departures-job", "scenario-paths-job")


def test_a_first_visit_is_offered_one_example_a_page(checkpoint):
    page = opened(MAIN)
    assert offered(page) == [f"example-{view}" for view in ("times_of_day", "generate", "scenario", "codebook")]
    assert "08:00 against 23:00 on Avenida 2" in labels(page)
    assert not page.exception


@pytest.mark.parametrize(("key", "value"), [("count", 7), ("seed", 2)])
def test_the_examples_vanish_once_something_has_been_chosen(checkpoint, key, value):
    page = opened(MAIN)
    page.number_input(key=key).set_value(value).run()
    assert offered(page) == []


def test_a_link_to_a_route_is_no_first_visit(checkpoint, place):
    page = opened(MAIN, via=";".join("{:.6f},{:.6f}".format(*place(x, 0)) for x in (20, 380)))
    assert offered(page) == []


def test_both_departures_of_the_main_street_are_shown(checkpoint):
    page = choose(opened(MAIN), "times_of_day")
    assert [departure.name for departure in page.session_state["departures-result"].departures] == ["08:00", "23:00"]
    assert query(page)["show"] == "1"
    assert not page.exception


def test_trips_of_the_morning_are_generated_and_the_examples_are_gone(checkpoint):
    page = choose(opened(MAIN), "generate")
    assert len(page.session_state["generate-result"].trips) == 20
    assert (query(page)["show"], query(page)["depart"]) == ("1", "2024-05-14T08:00")
    assert offered(page) == []
    assert not page.exception


def test_the_bottleneck_is_closed_and_touches_trips(checkpoint):
    page = choose(opened(MAIN), "scenario")
    closed = page.session_state["scenario"].scenario.closed
    assert len(closed) == 2
    assert query(page)["closed"] == f"{closed[0]}-{closed[1]}"
    assert not page.exception


def test_the_example_of_the_codebook_is_its_slowest_token(checkpoint):
    page = choose(opened(MAIN), "codebook")
    for _ in range(100):
        if "tokens" in query(page):
            break
        page.run()
    assert query(page)["tokens"].startswith("a_")
    assert not page.exception


def test_the_trip_is_at_the_peak_only_where_most_trips_start_then(checkpoint):
    served = htp_app.model.current()
    evening = served.heldout.assign(start_time=served.heldout["start_time"].dt.normalize() + dt.timedelta(hours=5))
    (label,) = (one.label for one in examples(replace(served, heldout=evening), START) if one.view == "generate")
    assert label == "A trip at 08:00"
    morning = evening.assign(start_time=evening["start_time"] + dt.timedelta(hours=3))
    (label,) = (one.label for one in examples(replace(served, heldout=morning), START) if one.view == "generate")
    assert label == "A trip through the morning peak"


def test_where_held_out_trips_are_kept_back_only_what_needs_none_is_offered(checkpoint):
    served = htp_app.model.current()
    views = [one.view for one in examples(replace(served, heldout=served.heldout[:0]), START)]
    assert views == ["times_of_day", "codebook"]
