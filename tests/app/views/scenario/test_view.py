"""The page Scenario, driven without a browser; 300 trips through the grid city are held out."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from driving import finished, labels, opened, query, sentences
from fake_generator import FakeGenerator

import htp_app.model
from htp.errors import InputError
from htp.planning.scenario import Scenario
from htp_app.map import Place
from htp_app.views.scenario import work
from htp_app.views.scenario.choices import AFTER, CELLS, Demand, Planning
from htp_app.views.scenario.controls import click
from htp_app.views.scenario.maps import CLOSED, FASTER, SLOWER, _marks

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

PAGE = Path(htp_app.model.__file__).parent / "views" / "scenario" / "view.py"
AVENUE = tuple(range(56, 64))  # Avenida 2, the fast street of the grid


def open_page(**link: str) -> AppTest:
    return finish(opened(PAGE, **link))


def finish(page: AppTest) -> AppTest:
    """Run the page until its work in the background has ended."""
    return finished(page, "scenario-job", "scenario-paths-job")


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    return finish(page)


def figures(page: AppTest) -> str:
    return " ".join(element.proto.body for element in page.get("html"))


def test_a_first_visit_finds_the_paths_by_itself_and_changes_nothing(checkpoint):
    page = open_page()
    assert "Nothing is changed yet" in sentences(page)
    assert "simulated trips are ready" in sentences(page)
    assert query(page) == {"like": "200", "seed": "1"}
    assert not page.exception


def test_a_closed_street_is_shown_at_once_and_generated_when_asked(checkpoint):
    page = open_page(closed="56-63")
    assert "Trips affected" in figures(page)
    assert "Avenida 2" in " ".join(markdown.value for markdown in page.markdown)
    label = next(label for label in labels(page) if label.startswith("Generate"))
    press(page, label)
    assert query(page) == {"closed": "56-63", "like": "200", "seed": "1", "show": "1"}
    assert "trips before and" in sentences(page)
    assert not page.exception


def test_what_travel_time_gains_is_the_difference_of_the_two_that_stand_beside_it(checkpoint):
    page = open_page(closed="56-63")
    found = re.search(r"Travel time, mean</span><b>([+−][\d.]+) min</b><small>([\d.]+) → ([\d.]+) min", figures(page))
    assert found
    gain, before, after = (float(number.replace("−", "-")) for number in found.groups())
    assert gain == pytest.approx(after - before)


def test_a_link_brings_back_the_scenario_with_its_trips_and_view(checkpoint):
    link = {"closed": "0-1,4", "speeds": "20:58,60;50:63", "like": "200", "seed": "4", "hours": "6-20", "show": "1"}
    page = open_page(**link, name="My plan", side=AFTER, places=CELLS)
    assert query(page) == {**link, "name": "My plan", "side": "after", "places": "cells"}
    assert page.session_state["scenario"].scenario == Scenario().close([0, 1, 4]).set_speed([58, 60], 20).set_speed(
        [63], 50
    )
    assert page.session_state["scenario-result"] is not None
    assert not page.exception


def test_the_trips_before_are_made_once_and_only_affected_ones_again(checkpoint, monkeypatch):
    asked: list[int] = []
    generate = FakeGenerator.generate

    def count(self, conditions, *args, **more):
        asked.append(len(conditions))
        return generate(self, conditions, *args, **more)

    monkeypatch.setattr(FakeGenerator, "generate", count)
    page = open_page(closed="56-57", show="1")
    affected = len(page.session_state["scenario-outcome"].again)
    assert asked == [len(page.session_state["scenario-outcome"].demand), affected]
    assert 0 < affected < asked[0]
    page.session_state["scenario"] = page.session_state["scenario"].changed(Scenario().close([58, 59]))
    page.run()
    press(page, f"Generate {len(page.session_state['scenario-outcome'].again)} trips")
    assert len(asked) == 3
    made = page.session_state["scenario-result"]
    outcome = page.session_state["scenario-outcome"]
    same = made.before.loc[outcome.kind == 0]
    kept = made.after[made.after["trip_id"].isin(same["trip_id"])]
    pd.testing.assert_frame_equal(pd.DataFrame(same.reset_index(drop=True)), pd.DataFrame(kept.reset_index(drop=True)))


def test_a_street_is_chosen_by_name_and_closed_whole_or_by_the_block(checkpoint):
    page = open_page()
    page.selectbox(key="scenario-street").set_value("Avenida 2").run()
    page.selectbox(key="scenario-block").set_value("2: Calle 1 – Calle 2").run()
    page.button(key="scenario-apply").click().run()
    assert query(page)["closed"] == "58-59"
    page.selectbox(key="scenario-block").set_value("All of it").run()
    page.button(key="scenario-apply").click().run()
    assert query(page)["closed"] == "56-63"
    page.button(key="scenario-back-0").click().run()
    assert "closed" not in query(page)


def test_a_street_gets_a_speed(checkpoint):
    page = open_page()
    page.segmented_control(key="scenario-tool").set_value("Set speed").run()
    page.number_input(key="scenario-kmh").set_value(20).run()
    page.selectbox(key="scenario-street").set_value("Avenida 2").run()
    page.button(key="scenario-apply").click().run()
    assert query(page)["speeds"] == "20:56-63"
    assert "stretches a route's travel time in proportion" in sentences(page)
    assert not page.exception


@pytest.mark.parametrize(
    ("extent", "closed"), [("One block", (58, 59)), ("Whole street", AVENUE)], ids=["block", "street"]
)
def test_a_click_closes_a_road_and_a_second_opens_it(grid, place, monkeypatch, extent, closed):
    state = {"scenario": Planning(), "scenario-tool": "Close", "scenario-extent": extent}
    monkeypatch.setattr("streamlit.session_state", state)
    there = Place(place(203, 150), 20.0)
    click(grid, there)
    assert state["scenario"].scenario.closed == closed
    click(grid, there)
    assert state["scenario"].scenario == Scenario()


def test_a_click_sets_a_speed_and_again_takes_it_back(grid, place, monkeypatch):
    state = {"scenario": Planning(), "scenario-tool": "Set speed", "scenario-extent": "One block", "scenario-kmh": 20}
    monkeypatch.setattr("streamlit.session_state", state)
    click(grid, Place(place(203, 150), 20.0))
    assert state["scenario"].scenario.speeds_kmh == ((58, 20.0), (59, 20.0))
    click(grid, Place(place(203, 150), 20.0))
    assert state["scenario"].scenario == Scenario()


@pytest.mark.parametrize(
    ("x", "y", "said"), [(250, 150, "no road at this place"), (90_000, 0, "outside Grid")], ids=["beside", "far"]
)
def test_a_click_beside_the_roads_changes_nothing_and_says_so(grid, place, monkeypatch, x, y, said):
    state = {"scenario": Planning()}
    monkeypatch.setattr("streamlit.session_state", state)
    click(grid, Place(place(x, y), 20.0))
    assert state["scenario"] == Planning()
    assert said in state["scenario-problem"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("closed", "bridge", "road numbers, as in 12,15-18"),
        ("closed", "0-99999999", "5,000 roads at most"),
        ("closed", "80", "road 80 is not in Grid"),
        ("speeds", "30", "km/h and roads"),
        ("speeds", "fast:3", "km/h and roads"),
        ("speeds", "900:3", "give 5 to 130 km/h"),
        ("like", "all", "200, 500 or 1000"),
        ("hours", "9-7", "earlier one first"),
        ("side", "under", "change, before or after"),
        ("places", "towns", "roads or cells"),
    ],
)
def test_a_broken_part_of_a_link_is_a_message(checkpoint, name, value, said):
    page = open_page(**{name: value})
    assert said in sentences(page)
    assert not page.exception


def test_hours_in_which_nobody_starts_are_a_message(checkpoint):
    page = open_page(hours="2-3", closed="56")
    assert "No trip starts from 2:00 to 3:00" in sentences(page)
    assert not page.exception


def test_a_saved_scenario_is_loaded(checkpoint, grid):
    page = open_page()
    content = Scenario(name="Works on the avenue").close(AVENUE).to_json(grid).encode()
    page.file_uploader(key="scenario-file").set_value(("plan.json", content, "application/json")).run()
    assert query(page)["closed"] == "56-63"
    assert query(page)["name"] == "Works on the avenue"
    page.button(key="scenario-back-0").click().run()
    assert "closed" not in query(page)  # the file that still lies there is not taken again


def test_a_broken_file_is_a_message_and_changes_nothing(checkpoint, grid):
    page = open_page(closed="4")
    facts = json.loads(Scenario().to_json(grid)) | {"city": "Porto"}
    page.file_uploader(key="scenario-file").set_value(("x.json", json.dumps(facts).encode(), "application/json")).run()
    assert "made for “Porto”" in sentences(page)
    assert query(page)["closed"] == "4"


def test_a_running_generation_can_be_stopped(checkpoint, grid, monkeypatch):
    monkeypatch.setattr(htp_app.model, "load_generator", lambda _: FakeGenerator(grid, seconds_per_trip=0.1))
    page = open_page(closed="56-63")
    label = next(label for label in labels(page) if label.startswith("Generate"))
    next(button for button in page.button if button.label == label).click().run()
    next(button for button in page.button if button.label == "Stop").click().run()
    finish(page)
    assert label in labels(page)
    assert "show" not in query(page)


def test_a_refusal_of_the_generator_is_a_message_and_the_page_stays(checkpoint, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise InputError("trip 3: the route is empty.")

    monkeypatch.setattr(FakeGenerator, "generate", refuse)
    page = open_page(closed="56-63", show="1")
    assert "trip 3: the route is empty." in sentences(page)
    assert "Trips affected" in figures(page)
    assert not page.exception


def test_every_road_closed_leaves_no_trip_and_no_error(checkpoint):
    page = open_page(closed="0-79", show="1", places="cells")
    assert "<b>200 of 200</b>" in figures(page)
    assert "200 end on a closed road" in figures(page)
    made = page.session_state["scenario-result"]
    assert len(made.after) == 0
    assert not made.cells.generated.any()
    assert not page.exception


def test_cells_wait_for_generated_trips(checkpoint):
    page = open_page(closed="56-63", places="cells")
    assert not page.exception
    assert query(page)["places"] == "cells"


def test_other_hours_ask_for_no_trips_by_themselves(checkpoint):
    page = open_page(closed="56-63", show="1")
    page.slider(key="scenario-hours").set_range(8, 12).run()
    finish(page)
    assert "show" not in query(page)
    assert query(page)["hours"] == "8-12"


def test_changed_roads_are_marked_once_for_both_directions(grid):
    scenario = Scenario().close([56, 57]).set_speed([58, 59], 20).set_speed([60], 100)
    assert [mark.colour for mark in _marks(grid, scenario)] == [CLOSED, SLOWER, FASTER]


def test_choices_become_a_link_and_come_back():
    scenario = Scenario(name="a").close([3, 4, 5, 9]).set_speed([7, 8], 22.5)
    chosen = Planning(scenario, Demand(500, 3, (7, 9), show=True), AFTER, CELLS)
    assert Planning().with_query(chosen.to_query()) == (chosen, [])
    assert chosen.to_query()["closed"] == "3-5,9"
    assert chosen.to_query()["speeds"] == "22.5:7-8"


def test_the_exported_sides_and_roads_can_be_read_back(checkpoint, tmp_path):
    from htp.planning.scenario.traffic import roads_table  # noqa: PLC0415
    from htp.trips import read_trips  # noqa: PLC0415
    from htp_app.components.files import file_bytes  # noqa: PLC0415

    page = open_page(closed="56-63", show="1")
    made, outcome = page.session_state["scenario-result"], page.session_state["scenario-outcome"]
    for side in (made.before, made.after):
        (tmp_path / "side.parquet").write_bytes(file_bytes(side, ".parquet"))
        back = read_trips(tmp_path / "side.parquet")
        assert back["trip_id"].tolist() == side["trip_id"].tolist()
        json.loads(file_bytes(side, ".geojson"))
    table = pd.read_csv(io.StringIO(roads_table(outcome).to_csv(index=False)))
    assert table.loc[table["closed"], "trips_after"].eq(0).all()
    assert table["trips_before"].sum() == sum(len(np.unique(route.roads)) for route in outcome.demand.routes)
    assert work.to_generate(htp_app.model.current(), page.session_state["scenario"], outcome) == len(outcome.again)
