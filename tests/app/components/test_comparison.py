"""The pages that compare generated trips with held-out ones, driven without a browser; 300 trips are held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from driving import finished, labels, opened, query, sentences, told
from fake_generator import FakeGenerator
from streamlit.testing.v1 import AppTest

import htp_app.model
from htp.errors import InputError
from htp.evaluate.distributions import SHOWN, Distribution
from htp_app import sample
from htp_app.state import Comparison
from htp_app.views.distributions.charts import WORDS, distribution_chart, verdict

VIEWS = Path(htp_app.model.__file__).parent / "views"
BOTH = pytest.mark.parametrize("name", ["distributions", "density"])


def open_page(name: str, **link: str) -> AppTest:
    return finish(opened(VIEWS / name / "view.py", **link))


def finish(page: AppTest) -> AppTest:
    """Run the page until its work in the background has ended."""
    return finished(page, "comparison-job")


@BOTH
def test_a_first_visit_shows_held_out_trips_and_offers_to_generate_others_like_them(checkpoint, name):
    page = open_page(name, like="200")
    assert labels(page) == ["Generate 200 trips like the held-out ones"]
    assert query(page) == {"like": "200", "seed": "1"}
    assert not page.exception


@BOTH
def test_more_trips_than_are_held_out_are_all_of_them(checkpoint, name):
    page = open_page(name, like="2000")
    assert labels(page) == ["Generate 300 trips like the held-out ones"]
    assert query(page)["like"] == "all"


@BOTH
def test_the_button_generates_trips_that_both_pages_and_everybody_then_have(checkpoint, name):
    page = open_page(name, like="200")
    finish(page.button[0].click().run())
    assert "200 generated trips beside 200 held-out ones" in sentences(page)
    assert query(page)["show"] == "1"
    other = open_page("density" if name == "distributions" else "distributions", like="200")
    assert "200 generated trips beside" in sentences(other)
    assert not page.exception


@BOTH
def test_a_link_to_generated_trips_generates_them(checkpoint, name):
    page = open_page(name, like="200", seed="7", show="1")
    assert "200 generated trips beside" in sentences(page)
    assert query(page)["seed"] == "7"


@BOTH
def test_another_seed_asks_for_other_trips(checkpoint, name):
    page = open_page(name, like="200", show="1")
    page.number_input(key="comparison-seed").set_value(2).run()
    assert labels(page) == ["Generate 200 trips like the held-out ones"]
    assert "show" not in query(page)


@BOTH
def test_a_browser_that_saw_no_first_run_is_told_the_links_choices_by_the_next(checkpoint, name):
    page = open_page(name, like="all", seed="7").run()
    assert told(page, "selectbox", "comparison-count") == 1  # of 200, all
    assert told(page, "number_input", "comparison-seed") == 7


def test_a_browser_that_saw_no_first_run_is_told_how_density_is_looked_at(checkpoint):
    page = open_page("density", like="200", hours="7-10", scale="linear").run()
    assert told(page, "slider", "density-hours") == [7, 10]
    assert told(page, "segmented_control", "density-scale") == [1]  # of log, linear
    page = open_page("density", like="200", places="top-roads").run()
    assert told(page, "segmented_control", "density-places") == [2]  # of all cells, top cells, top roads


def test_the_noise_floor_of_the_hours_that_are_shown_is_beside_the_score(checkpoint):
    page = open_page("density", like="200", show="1", hours="7-10")
    served = htp_app.model.current()
    cells = sample.heldout_floor(served, 200, (7, 10), roads=False).similarity
    assert any(f"alike (G-Den), floor {cells:.3f}" in one.proto.body for one in page.get("html"))
    page.segmented_control(key="density-places").set_value("top-roads").run()
    roads = sample.heldout_floor(served, 200, (7, 10), roads=True).f1
    assert any(f", floor {roads:.2f})" in one.value for one in page.markdown)
    assert not page.exception


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("like", "7", "200, 500, 1000, 2000 or all"),
        ("hours", "9-7", "earlier one first"),
        ("hours", "morning", "hours of the day"),
        ("scale", "cubic", "log or linear"),
        ("places", "towns", "cells, top-cells or top-roads"),
        ("seed", "-1", "whole number"),
    ],
)
def test_a_broken_part_of_a_link_is_a_message(checkpoint, name, value, said):
    page = open_page("density", **{name: value})
    assert said in sentences(page)
    assert not page.exception


def test_a_refusal_of_the_generator_is_a_message_and_the_page_stays(checkpoint, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise InputError("trip 3: the route is empty.")

    monkeypatch.setattr(FakeGenerator, "generate", refuse)
    page = open_page("distributions", like="200", show="1")
    assert "trip 3: the route is empty." in sentences(page)
    assert labels(page) == ["Generate 200 trips like the held-out ones"]
    assert not page.exception


def test_a_running_generation_can_be_stopped(checkpoint, grid, monkeypatch):
    monkeypatch.setattr(htp_app.model, "load_generator", lambda _: FakeGenerator(grid, seconds_per_trip=0.1))
    page = AppTest.from_file(str(VIEWS / "density" / "view.py"), default_timeout=30)
    page.query_params["like"] = "200"
    page.run()
    page.button[0].click().run()
    next(button for button in page.button if button.label == "Stop").click().run()
    finish(page)
    assert labels(page) == ["Generate 200 trips like the held-out ones"]


def test_a_smaller_sample_is_part_of_a_greater_one(checkpoint):
    served = htp_app.model.current()
    few, all_of_them = (set(sample.heldout_sample(served, count)["trip_id"]) for count in (200, None))
    assert len(few) == 200
    assert few < all_of_them == set(served.heldout["trip_id"])


def test_generated_trips_have_the_routes_and_hours_of_the_held_out_ones(checkpoint):
    served, choices = htp_app.model.current(), Comparison(count=200)
    sample.work_for(served, choices)(lambda *_: None)
    real, generated = sample.heldout_measures(served, 200), sample.generated_measures(served, choices)
    assert len(generated.points) == len(real.points)
    assert np.array_equal(np.unique(generated.road), np.unique(generated.road[generated.road >= 0]))
    first = [np.r_[0, np.cumsum(side.points)[:-1]] for side in (real, generated)]
    assert np.array_equal(real.hour[first[0]], generated.hour[first[1]])


def test_every_quantity_has_a_chart_lengths_first(checkpoint):
    page = open_page("distributions", like="200", show="1")
    titles = [markdown.value.removeprefix("##### ") for markdown in page.markdown if markdown.value.startswith("#####")]
    assert titles == [WORDS[name].title for name in SHOWN]
    assert len(page.get("plotly_chart")) == len(SHOWN)


@pytest.mark.parametrize(
    ("divergence", "floor", "said"),
    [
        (0.01, 0.02, "within noise"),
        (0.04, 0.02, "2.0 × noise"),
        (0.2, 0.02, "10 × noise"),
        (0.2, 0.0, "apart"),
        (None, 0.02, "Noise floor 0.0200"),
    ],
)
def test_a_divergence_is_said_beside_its_noise_floor(divergence, floor, said):
    shares = np.array([50.0, 50.0])
    edges = np.array([0.0, 1.0, 2.0])
    assert said in verdict(Distribution("Speed", edges, True, shares, shares, divergence, floor))


def test_a_distribution_is_drawn_from_edge_to_edge_and_its_tail_is_named():
    edges = np.array([0.0, 1.0, 2.0])
    figure = distribution_chart(
        Distribution("Speed", edges, True, np.array([60.0, 40]), np.array([70.0, 30]), 0.1, 0.1),
        "Real",
        200,
        legend=True,
    )
    bars, line = figure.data
    assert (list(bars.y), list(line.y)) == ([70, 30], [60, 40, 40])
    assert list(line.x) == [0, 1, 2]
    assert list(bars.customdata) == ["0–1", "1 and more"]


@pytest.mark.parametrize("places", ["top-cells", "top-roads"])
def test_the_top_places_are_listed_with_hits_and_misses(checkpoint, places):
    page = open_page("density", like="200", show="1", places=places, hours="7-10", scale="linear")
    table = page.dataframe[0].value
    assert set(table["Found in"]) <= {"In both", "Only held-out", "Only generated"}
    assert table["Held-out"].is_monotonic_decreasing
    assert (table["Found in"] != "Only generated").sum() <= 100
    assert set(table["Street"]) <= {*(f"Calle {i}" for i in range(5)), *(f"Avenida {i}" for i in range(5))}
    assert {name: query(page)[name] for name in ("hours", "scale", "places")} == {
        "hours": "7-10",
        "scale": "linear",
        "places": places,
    }
    assert not page.exception


def test_hours_are_an_hour_at_least(checkpoint):
    page = open_page("density", like="200")
    page.slider(key="density-hours").set_range(24, 24).run()
    assert query(page)["hours"] == "23-24"
    page.slider(key="density-hours").set_range(8, 8).run()
    assert query(page)["hours"] == "8-9"
    assert not page.exception


def test_hours_without_a_point_are_no_error(checkpoint):
    for places in ("cells", "top-cells", "top-roads"):
        page = open_page("density", like="200", show="1", hours="1-2", places=places)
        assert not page.exception
