"""The page that makes the trips of a whole day, driven without a browser over the grid city ten times as large."""

from __future__ import annotations

import datetime as dt
import json
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
import streamlit as st
from driving import finished, opened, query, sentences
from fake_generator import FakeGenerator
from streamlit.testing.v1 import AppTest

import htp_app.model
from htp.errors import InputError
from htp.planning.demand.zones import city_zones
from htp.trips import read_trips
from htp_app.views.demand.choices import DemandChoices
from htp_app.views.demand.results import departures_chart

if TYPE_CHECKING:
    from htp.city import City

VIEW = Path(htp_app.model.__file__).parent / "views" / "demand" / "view.py"
SOON_S = 20.0
TABLE = b"origin,destination,trips\n1,20,30\n20,1,10\n"


@pytest.fixture(scope="module")
def wide(grid: City) -> City:
    """Return a city with crossings 1 km apart."""
    origin_m = grid.xy_m.min(axis=0)
    roads = grid.roads.assign(length_m=grid.roads["length_m"] * 10)
    lines = shapely.transform(
        roads.geometry.to_numpy(), lambda xy: grid.to_lonlat(origin_m + (grid.to_metres(xy) - origin_m) * 10)
    )
    return replace(grid, roads=roads.set_geometry(lines))


@pytest.fixture
def served(wide: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve the wide city."""
    (tmp_path / "README.md").write_text("---\nsimulated: true\n---\n", encoding="utf-8")
    monkeypatch.setattr(htp_app.model, "load_generator", lambda _: FakeGenerator(wide, seconds_per_trip=0.0))
    monkeypatch.setattr(sys, "argv", ["app/main.py", "--checkpoint", str(tmp_path)])
    st.cache_resource.clear()


def open_page(**link: str) -> AppTest:
    return finish(opened(VIEW, **link))


def upload(page: AppTest, which: str, name: str, content: bytes) -> AppTest:
    return page.file_uploader(key=f"demand-{which}").set_value((name, content, "text/plain")).run()


def finish(page: AppTest) -> AppTest:
    """Run the page until its work in the background has ended."""
    return finished(page, "demand-job")


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button if button.label]


def figures(page: AppTest) -> str:
    return next(block.value for block in page.html if "class='figures'" in block.value)


def test_a_first_visit_shows_a_made_up_table_over_square_zones_and_says_so(served, wide):
    page = open_page()
    assert labels(page) == ["Make 10,000 trips"]
    assert "A made-up table between" in sentences(page)
    assert f"{len(city_zones(wide))} square zones laid over the roads" in sentences(page)
    assert query(page) == {"day": "2024-05-14", "n": "10000", "seed": "1"}
    assert not page.exception


def test_zones_have_a_legend_that_ends_with_the_busiest(served):
    page = open_page()
    upload(page, "table", "od.csv", TABLE)
    legend = next(element.proto.body for element in page.get("html") if "start or end in a zone" in element.proto.body)
    assert "<span>40</span></div>" in legend  # 30 and 10 trips between the two zones


def test_trips_are_made_and_shown_with_what_was_left_out(served):
    page = open_page(n="60")
    finish(press(page, "Make 60 trips"))
    made = page.session_state["demand-run"]
    assert made.finished
    assert len(made.day) + sum(made.day.left_out.values()) == 60
    assert made.counts.trips.sum() == len(made.day)
    assert f"<b>{len(made.day)}</b><small>of 60 asked for" in figures(page)
    assert f"All {len(made.day)} trips of this day have been made" in sentences(page)
    assert query(page)["show"] == "1"
    assert len(read_trips(made.folder)) == len(made.day)
    assert not page.exception


def test_a_link_makes_the_same_day_and_finds_it_again(served):
    one = open_page(n="40", seed="3", show="1").session_state["demand-run"]
    page = open_page(n="40", seed="3", show="1")
    assert "trips of this day have been made" in sentences(page)
    assert "demand-run" not in page.session_state  # nothing had to be made
    assert f"<b>{len(one.day)}</b>" in figures(page)


def test_another_seed_is_another_day(served):
    page = open_page(n="40", show="1")
    page.number_input(key="demand-seed").set_value(2).run()
    assert labels(page) == ["Make 40 trips"]
    assert "show" not in query(page)


def test_a_table_of_one_s_own_says_how_many_trips_and_no_link_carries_it(served):
    page = upload(open_page(), "table", "mine.csv", TABLE)
    assert page.number_input(key="demand-count").disabled
    finish(press(page, "Make 40 trips"))
    run = page.session_state["demand-run"]
    assert run.asked.flows.trips.tolist() == [30, 10]
    assert "Trips from mine.csv between" in sentences(page)
    assert "show" not in query(page)


@pytest.mark.parametrize(
    ("which", "name", "content", "said"),
    [
        ("table", "od.csv", b"origin,destination,trips\n1,99,3\n", "od.csv, line 2, destination: no zone is called"),
        ("table", "od.csv", b"a,b\n", "the column 'origin' is missing"),
        ("zones", "z.geojson", b"{", "z.geojson: is no GeoJSON"),
        ("zones", "z.parquet", b"PAR1", "no readable GeoParquet"),
    ],
    ids=["unknown zone", "no columns", "broken GeoJSON", "broken GeoParquet"],
)
def test_a_broken_file_is_a_message_until_it_is_taken_away(served, which, name, content, said):
    page = upload(open_page(), which, name, content)
    assert said in sentences(page)
    assert next(button for button in page.button if button.label == "Make the day's trips").disabled
    assert not page.exception
    page.button(key=f"demand-{which}-away").click().run()
    assert labels(page) == ["Make 10,000 trips"]
    assert not page.error


def test_zones_of_one_s_own_are_those_of_the_made_up_table(served, place):
    corners = [[list(place(*xy)) for xy in ((-500, -500), (4500, -500), (4500, 4500), (-500, 4500), (-500, -500))]]
    zone = {
        "type": "Feature",
        "properties": {"zone_id": "all"},
        "geometry": {"type": "Polygon", "coordinates": corners},
    }
    content = json.dumps({"type": "FeatureCollection", "features": [zone]}).encode()
    page = upload(open_page(n="50"), "zones", "one.geojson", content)
    assert "1 zones from one.geojson" in sentences(page)
    finish(press(page, "Make 50 trips"))
    assert set(read_trips(page.session_state["demand-run"].folder)["origin"]) == {"all"}


class Held(FakeGenerator):
    """Make the first part at once and the others when it is let go."""

    def __init__(self, city: City) -> None:
        super().__init__(city, seconds_per_trip=0.0)
        self.parts, self.let_go = 0, threading.Event()

    def generate(self, *arguments, **options):
        self.parts += 1
        if self.parts > 1:
            self.let_go.wait(SOON_S)
        return super().generate(*arguments, **options)


def test_a_running_day_can_be_stopped_and_gone_on_with(served, wide, monkeypatch):
    held = Held(wide)
    monkeypatch.setattr("htp.planning.demand.parts.PART_TRIPS", 10)
    monkeypatch.setattr(htp_app.model, "load_generator", lambda _: held)
    page = AppTest.from_file(str(VIEW), default_timeout=30)
    page.query_params["n"] = "100"
    press(page.run(), "Make 100 trips")
    run = page.session_state["demand-run"]
    for _ in range(400):
        if held.parts == 2:
            break
        time.sleep(0.05)
    page.run()
    assert "<b>10</b><small>of 100 asked for" in figures(page)  # what there is while others are made
    press(page, "Stop")
    held.let_go.set()
    page.run()
    assert labels(page)[0] == "Go on making trips"
    assert "Download those made so far" in [button.label for button in page.download_button]
    finish(press(page, "Go on making trips"))
    assert run.finished
    assert len(read_trips(run.folder)) == len(run.day) > 50


def test_a_refusal_of_the_generator_is_a_message(served, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise InputError("the backend is away.")

    monkeypatch.setattr(FakeGenerator, "generate", refuse)
    page = open_page(n="40", show="1")
    assert "the backend is away." in sentences(page)
    assert labels(page) == ["Make 40 trips"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("n", "60000", "whole number from 1 to 50000"),
        ("day", "soon", "it takes a date"),
        ("profile", "1,2", "shares of 24 hours"),
        ("profile", ",".join(["0"] * 24), "shares of 24 hours"),
        ("hours", "9-7", "earlier one first"),
        ("scale", "cubic", "log or linear"),
    ],
)
def test_a_broken_part_of_a_link_is_a_message(served, name, value, said):
    page = open_page(**{name: value})
    assert said in sentences(page)
    assert not page.exception


def test_a_profile_in_the_link_says_when_trips_depart(served):
    at_seven = ",".join("1" if hour == 7 else "0" for hour in range(24))
    page = open_page(n="30", profile=at_seven, show="1")
    assert page.session_state["demand-run"].counts.trips.nonzero()[0].tolist() == [7]
    assert query(page)["profile"] == at_seven


def test_a_day_without_the_first_hour_says_what_to_do(served):
    page = open_page(n="30", day="2024-09-08", profile=",".join(["1"] * 24), show="1")
    assert "give that hour no departures or choose another day" in sentences(page)
    assert not page.exception


def test_hours_without_a_point_are_no_error(served):
    at_seven = ",".join("1" if hour == 7 else "0" for hour in range(24))
    page = open_page(n="30", profile=at_seven, show="1", hours="2-3")
    assert not page.exception
    page.slider(key="demand-hours").set_range(24, 24).run()
    assert query(page)["hours"] == "23-24"
    assert not page.exception


def test_the_hours_on_the_map_are_those_of_the_file(served):
    at_seven = ",".join("1" if hour == 7 else "0" for hour in range(24))
    page = open_page(n="30", profile=at_seven, show="1", hours="7-9")
    assert "Download, 07:00 to 09:00" in [button.label for button in page.download_button]
    page.slider(key="demand-hours").set_range(9, 12).run()
    assert [button.disabled for button in page.download_button if "09:00 to 12:00" in button.label] == [True]


def test_choices_become_a_link_and_come_back():
    day = DemandChoices(dt.date(2024, 5, 14))
    chosen = replace(day, count=77, seed=4, shares=(0.5,) * 24, hours=(7, 9), scale="linear", show=True)
    assert day.with_query(chosen.to_query()) == (chosen, [])


def test_the_chart_has_pale_hours_and_the_line_of_what_was_asked_for():
    asked, made = np.arange(24), np.arange(24) // 2
    bars, line = departures_chart(asked, made, (7, 9)).data
    assert list(bars.y) == made.tolist()
    assert np.flatnonzero(np.array(bars.marker.opacity) > 0.5).tolist() == [7, 8]
    assert list(line.y) == [*asked, 23]
