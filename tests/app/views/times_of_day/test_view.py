"""The page that compares times of day, driven without a browser."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from driving import finished, opened, query, sentences, told

import htp_app.model
from htp.city.addresses import corners_of
from htp_app.state import BLOCK, STREET
from htp_app.views.times_of_day.charts import MAX_BARS, lost_by, lost_chart, progress_chart, travel_time_chart
from htp_app.views.times_of_day.departures import Compared, example_route

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

PAGE = Path(htp_app.model.__file__).parent / "views" / "times_of_day" / "view.py"


def open_page(**link: str) -> AppTest:
    return finish(opened(PAGE, **link))


def finish(page: AppTest) -> AppTest:
    """Run the page until its work in the background has ended."""
    return finished(page, "departures-job")


def button(page: AppTest, label: str):
    return next(button for button in page.button if button.label == label)


@pytest.fixture
def ends(place) -> str:
    points = [place(20, 0), place(180, 0), place(200, 200)]
    return ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in points)


@pytest.fixture
def compared(checkpoint, ends) -> Compared:
    """Return the trips of two departures, five each."""
    return open_page(via=ends, n="5", show="1").session_state["departures-result"]


def test_a_first_visit_asks_for_a_route_and_offers_an_example(checkpoint):
    page = open_page()
    assert button(page, "Compare").disabled
    button(page, "Try an example route").click().run()
    assert not button(page, "Compare").disabled
    assert query(page)["via"].count(";") == 1
    assert not page.exception


def test_the_example_is_a_rather_long_held_out_trip(checkpoint):
    served = htp_app.model.current()
    ends = np.array(example_route(served))
    starts = np.array([line.coords[0] for line in served.heldout.geometry])
    row = int(np.abs(starts - ends[0]).sum(axis=1).argmin())
    assert (served.profile.distance_m <= served.profile.distance_m[row]).mean() == pytest.approx(0.8, abs=0.02)


def test_a_link_brings_back_route_times_and_trips(checkpoint, ends):
    page = open_page(via=ends, times="07:30,12:00,18:15,23:00", day="2024-05-15", n="4", seed="3", show="1")
    compared = page.session_state["departures-result"]
    assert [str(d.depart) for d in compared.departures][::3] == [
        "2024-05-15 07:30:00-04:00",
        "2024-05-15 23:00:00-04:00",
    ]
    assert [len(d.trips) for d in compared.departures] == [4] * 4
    assert query(page)["times"] == "07:30,12:00,18:15,23:00"
    assert query(page)["show"] == "1"
    again = open_page(**query(page)).session_state["departures-result"]
    assert all(
        one.trips.geometry.equals(two.trips.geometry)
        for one, two in zip(compared.departures, again.departures, strict=True)
    )
    assert not page.exception


def test_a_browser_that_saw_no_first_run_is_told_the_links_choices_by_the_next(checkpoint):
    page = open_page(times="07:30,12:00,18:15", day="2024-05-15", n="4", seed="3").run()
    assert [told(page, "number_input", f"departures-{name}") for name in ("count", "seed")] == [4, 3]
    assert [told(page, "time_input", f"departures-time-{at}") for at in range(4)] == ["07:30", "12:00", "18:15", ""]
    assert told(page, "date_input", "departures-day") == ["2024-05-15"]


def test_a_browser_that_saw_no_first_run_is_told_how_lost_time_is_added_up(checkpoint, ends):
    page = open_page(via=ends, n="2", show="1", by="block").run()
    assert told(page, "segmented_control", "departures-by") == [1]  # of street, block


def test_departures_are_shown_in_the_order_of_the_day_whatever_order_they_are_asked_in(checkpoint, ends):
    compared = open_page(via=ends, times="23:00,08:00", n="2", show="1").session_state["departures-result"]
    assert [departure.name for departure in compared.departures] == ["08:00", "23:00"]


def test_a_changed_time_is_in_the_link_and_the_trips_are_said_to_be_older(checkpoint, ends):
    page = open_page(via=ends, n="2", show="1")
    page.time_input(key="departures-time-2").set_value(dt.time(12)).run()
    assert query(page)["times"] == "08:00,23:00,12:00"
    assert "show" not in query(page)
    assert "settings have changed" in sentences(page)
    finish(button(page, "Compare again").click().run())
    assert len(page.session_state["departures-result"].departures) == 3


def test_how_lost_time_is_added_up_is_in_the_link_and_needs_no_new_trips(checkpoint, ends):
    page = open_page(via=ends, n="2", show="1", by="block")
    assert query(page)["by"] == "block"
    page.segmented_control(key="departures-by").set_value("street").run()
    assert (query(page)["by"], query(page)["show"]) == ("street", "1")


def test_a_new_route_takes_the_old_trips_off_the_page(checkpoint, ends, place):
    page = open_page(via=ends, n="2", show="1")
    page.text_area(key="pasted").set_value(";".join("{:.6f},{:.6f}".format(*place(x, 0)) for x in (0, 400)))
    button(page, "Use these points").click()
    page.run()
    assert not page.get("plotly_chart")
    assert button(page, "Compare")


def test_a_street_by_name_becomes_the_origin(checkpoint, grid):
    page = open_page()
    page.selectbox(key="route-street").set_value("Calle 0").run()
    page.selectbox(key="route-corner").set_value("Avenida 1").run()
    button(page, "Set as origin").click().run()
    assert page.session_state["departures"].via == (corners_of(grid, "Calle 0")["Avenida 1"],)
    assert not page.exception


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("times", "8 o'clock", "times of the day"),
        ("times", "01:00,02:00,03:00,04:00,05:00", "4 times at most"),
        ("day", "yesterday", "takes a date"),
        ("n", "100000", "whole number"),
        ("by", "bridge", "street or block"),
    ],
)
def test_a_broken_part_of_a_link_is_a_message(checkpoint, name, value, said):
    page = open_page(**{name: value})
    assert said in sentences(page)
    assert not page.exception


def test_a_start_time_that_does_not_exist_is_a_message_and_is_not_tried_again(checkpoint, ends):
    page = open_page(via=ends, day="2024-09-08", times="00:30,08:00", show="1")
    assert "does not exist" in sentences(page)
    assert "departures-result" not in page.session_state
    assert not page.exception


def test_a_route_out_of_town_is_no_route_to_compare(checkpoint, place):
    page = open_page(via=";".join("{:.6f},{:.6f}".format(*place(x, 0)) for x in (0, 9000)))
    assert button(page, "Compare").disabled
    assert not page.exception


def test_lost_seconds_by_street_add_up_to_those_by_block(compared):
    blocks, by_block = lost_by(compared, BLOCK)
    streets, by_street = lost_by(compared, STREET)
    assert streets == ["Calle 0", "Avenida 2"]
    assert [name.split(",")[0] for name in blocks] == ["Calle 0", "Calle 0", "Avenida 2", "Avenida 2"]
    assert by_street.sum(axis=1) == pytest.approx(by_block.sum(axis=1))
    assert by_street.shape == (2, 2)


def test_more_streets_than_bars_end_in_other_streets(compared, monkeypatch):
    monkeypatch.setattr("htp_app.views.times_of_day.charts.MAX_BARS", 1)
    names, lost_s = lost_by(compared, STREET)
    assert names[1:] == ["Other streets"]
    assert lost_s.sum() == pytest.approx(sum(d.delays.lost_s.sum() for d in compared.departures))
    assert len(lost_by(compared, BLOCK)[0]) == 1 <= MAX_BARS


def test_every_departure_is_in_every_chart(compared):
    for figure in (progress_chart(compared, 200), lost_chart(compared, STREET, 200), travel_time_chart(compared, 200)):
        assert [trace.name for trace in figure.data][:2] == ["08:00", "23:00"]
