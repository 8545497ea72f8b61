"""One of the generated trips on the page Generate: in the link, in the charts, with its tokens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from driving import finished, labels, opened, query, sentences
from fake_generator import FakeGenerator

import htp_app.model
from htp.evaluate.course import Course
from htp.evaluate.tokens import PatternToken
from htp_app.views.generate.one_trip import NO_TOKENS, marks_of, speed_chart, tokens_table

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

MAIN = Path(htp_app.model.__file__).parent / "main.py"


@pytest.fixture
def link(place) -> dict[str, str]:
    """Return a link to four trips along 360 m of the grid city."""
    ends = (place(20, 0), place(180, 0), place(200, 200))
    return {"via": ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in ends), "n": "4", "show": "1"}


def open_trips(link: dict[str, str], **more: str) -> AppTest:
    return finished(opened(MAIN, **link, **more), "generate-job")


def words(page: AppTest) -> str:
    return " ".join(one.proto.body for one in page.get("html"))


def test_no_trip_is_looked_at_until_somebody_chooses_one(checkpoint, link):
    page = open_trips(link)
    assert page.selectbox(key="trip").value is None
    assert "class='tokens'" not in words(page)
    assert "trip" not in query(page)
    page.selectbox(key="trip").set_value(3).run()
    assert query(page)["trip"] == "3"
    assert query(page)["show"] == "1"  # the same trips
    assert "class='tokens'" in words(page)
    assert not page.exception


def test_a_link_to_a_trip_brings_it_back_with_its_tokens(checkpoint, link):
    page = open_trips(link, trip="2")
    assert page.selectbox(key="trip").value == 2
    trips = page.session_state["generate-result"].trips
    for code in range(len(trips["anchors"].iloc[1])):
        assert f"<b>a_{code}</b></a> b_{code} c_{code} d_{code}" in words(page)
    assert "codebook?tokens=a_0" in words(page)
    assert not page.exception


def test_a_trip_that_there_are_too_few_for_is_none(checkpoint, link):
    page = open_trips(link, trip="9")
    assert page.selectbox(key="trip").value is None
    assert "trip" not in query(page)
    assert not page.exception


def test_fewer_trips_than_before_forget_the_one_that_was_looked_at(checkpoint, link):
    page = open_trips(link, trip="4")
    page.number_input(key="count").set_value(2).run()
    assert query(page)["trip"] == "4"  # the four trips are still there
    page.button[labels(page).index("Generate again")].click().run()
    finished(page, "generate-job")
    assert page.selectbox(key="trip").value is None
    assert not page.exception


def test_trips_without_tokens_are_said_to_have_none(checkpoint, link, monkeypatch):
    generate = FakeGenerator.generate

    def bare(self, *asked, **more):
        return generate(self, *asked, **more).drop(columns=["patterns", "anchors"])

    monkeypatch.setattr(FakeGenerator, "generate", bare)
    page = open_trips(link, trip="1")
    assert NO_TOKENS in sentences(page)
    assert "class='tokens'" not in words(page)
    assert not page.exception


def test_the_trip_is_a_line_of_its_own_on_the_map(checkpoint, link):
    generated = open_trips(link).session_state["generate-result"]
    (mark,) = marks_of(generated, 2)
    assert mark.line == tuple(generated.trips.geometry.iloc[1].coords)
    assert marks_of(generated, None) == marks_of(None, 2) == ()


def test_speeds_and_limits_are_drawn_over_the_way():
    course = Course(
        along_m=np.array([0.0, 100, 100, 300]),
        elapsed_s=np.array([0.0, 15, 30, 45]),
        speed_kmh=np.array([24.0, 0, 48, 48]),
        edges_m=np.array([0.0, 200, 300]),
        limit_kmh=np.array([50.0, 30]),
        names=("Calle Uno", None),
    )
    tokens = [PatternToken((7, 1, 2, 3), 0, 15, "Calle Uno"), PatternToken((9, 1, 2, 3), 15, 45, None)]
    figure = speed_chart(course, tokens)
    speed, limit = figure.data
    assert speed.x.tolist() == [0, 0.1, 0.1, 0.3]
    assert speed.y.tolist() == [24, 0, 48, 48]
    assert [name for _, name in speed.customdata] == ["a_7", "a_9", "a_9", "a_9"]
    assert (limit.x.tolist(), limit.y.tolist()) == ([0, 0.2, 0.3], [50, 30, 30])
    assert [(band.x0, band.x1) for band in figure.layout.shapes] == [(0.1, 0.3)]  # every other token


def test_tokens_are_listed_with_times_and_streets_and_linked_only_where_there_is_a_codebook():
    tokens = [PatternToken((17, 4, 9, 200), 0, 105, "Calle <b>"), PatternToken((3, 0, 1, 2), 105, 225, None)]
    table = tokens_table(tokens, linked=False)
    assert "<td>0:00–1:45</td><td><b>a_17</b> b_4 c_9 d_200</td><td>Calle &lt;b&gt;</td>" in table
    assert "<td>1:45–3:45</td><td><b>a_3</b> b_0 c_1 d_2</td><td>unnamed street</td>" in table
    assert "<a" not in table
