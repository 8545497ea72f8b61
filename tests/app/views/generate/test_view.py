"""The page that generates trips, driven without a browser."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

import fake_generator
import pytest
from driving import finished, labels, opened, query, sentences, told
from fake_generator import FakeGenerator, FakeTravelTime

import htp_app.model
from htp.city.addresses import corners_of, middle_of
from htp.errors import InputError
from htp.recording import Recording
from htp_app.components.files import FORMATS, file_bytes
from htp_app.components.street_search import MIDDLE
from htp_app.views.generate.results import MAP, map_bytes

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

MAIN = Path(htp_app.model.__file__).parent / "main.py"


def open_page(**link: str) -> AppTest:
    """Open the app by a link."""
    return opened(MAIN, **link)


def via(*points: tuple[float, float]) -> str:
    return ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in points)


def finish(page: AppTest) -> AppTest:
    """Run the page until its generation has ended."""
    return finished(page, "generate-job")


def generate(page: AppTest) -> AppTest:
    button = next(button for button in page.button if button.label.startswith("Generate"))
    assert not button.disabled
    return finish(button.click().run())


@pytest.fixture
def ends(place) -> str:
    """Return a route of 360 m through the grid city."""
    return via(place(20, 0), place(180, 0), place(200, 200))


def test_without_a_checkpoint_the_app_says_what_to_do(checkpoint, monkeypatch):
    def fail(folder: str) -> None:
        raise InputError(f"{folder}: no such checkpoint; train one, or name the folder of one.")

    monkeypatch.setattr(htp_app.model, "load_generator", fail)
    page = open_page()
    assert "no such checkpoint" in sentences(page)
    assert any("htp app --checkpoint" in code.value for code in page.code)
    assert not page.exception


def test_a_first_visit_asks_for_a_route_and_offers_nothing_to_generate(checkpoint):
    page = open_page()
    assert "Click the map" in sentences(page)
    assert [button.disabled for button in page.button if button.label == "Generate"] == [True]
    assert not page.exception


def test_a_link_to_a_route_draws_it_and_generate_makes_the_trips(checkpoint, ends):
    page = generate(open_page(via=ends, n="6", interval="5", seed="4"))
    generated = page.session_state["generate-result"]
    assert len(generated.trips) == 6
    assert set(generated.trips["interval"]) == {5.0}
    assert query(page)["show"] == "1"
    assert not page.exception


def test_a_link_to_trips_generates_the_same_trips_again(checkpoint, ends):
    first = generate(open_page(via=ends, n="3"))
    again = open_page(**query(first))
    trips = finish(again).session_state["generate-result"].trips
    assert trips.geometry.equals(first.session_state["generate-result"].trips.geometry)


def test_changed_settings_are_in_the_link_and_the_trips_are_said_to_be_older(checkpoint, ends):
    page = generate(open_page(via=ends, n="3"))
    page.number_input(key="count").set_value(5).run()
    assert query(page)["n"] == "5"
    assert "show" not in query(page)
    assert "settings have changed" in sentences(page)


def test_a_set_travel_time_is_kept_in_every_trip(checkpoint, ends):
    page = open_page(via=ends, n="3")
    page.radio(key="travel_time").set_value("Set").run()
    page.number_input(key="minutes").set_value(5.0)
    trips = generate(page.run()).session_state["generate-result"]
    assert set(trips.profile.duration_s) == {300.0}
    assert query(page)["duration"] == "300"


def test_a_travel_time_to_be_set_starts_at_the_expected_one(checkpoint, ends):
    page = open_page(via=ends)
    expected = re.search(r"Expected (\d+) min; 8 of 10 trips", sentences(page)).group(1)
    page.radio(key="travel_time").set_value("Set").run()
    assert page.number_input(key="minutes").value == float(expected)


def test_a_travel_time_of_a_link_that_the_model_cannot_make_is_cut_and_said(checkpoint, ends):
    page = open_page(via=ends, duration="6")
    assert page.number_input(key="minutes").value == 0.25
    assert "The link asks for 0.1 min; the model makes 0.2 to 256 min" in sentences(page)


def test_the_interval_is_the_models_own_until_another_is_chosen(checkpoint, ends, monkeypatch):
    monkeypatch.setattr(fake_generator, "RECORDING", Recording(4.0, 8, 1024))
    page = open_page(via=ends, duration="200")
    assert page.selectbox(key="interval").value == 4.0
    assert "read off every" not in sentences(page)
    made = generate(page).session_state["generate-result"].trips
    assert (made["interval"] == 4.0).all()
    assert set(made.geometry.map(lambda line: len(line.coords))) == {51}
    assert "interval" not in query(page)
    page.selectbox(key="interval").set_value(10).run()
    assert "Made every 4 s, as learned; read off every 10 s along the route." in sentences(page)
    assert query(page)["interval"] == "10"
    assert "15 s" not in sentences(page)


def test_a_route_out_of_town_is_a_message(checkpoint, place):
    page = open_page(via=via(place(0, 0), place(9000, 0)))
    assert [button.disabled for button in page.button if button.label == "Generate"] == [True]
    assert not page.exception


def test_a_start_time_that_does_not_exist_is_a_message(checkpoint, ends):
    page = generate(open_page(via=ends, depart="2024-09-08T00:30"))
    assert "does not exist" in sentences(page)
    assert "generate-result" not in page.session_state
    assert not page.exception


def test_a_trip_that_the_generator_refuses_is_a_message(checkpoint, ends):
    page = generate(open_page(via=ends, duration="15", interval="15"))
    assert "8 points or more" in sentences(page)
    assert not page.exception


def test_a_broken_link_is_a_message_and_the_rest_of_it_is_used(checkpoint, ends):
    page = open_page(via=ends, n="a lot", seed="9")
    assert "n=a lot was left out" in sentences(page)
    assert page.number_input(key="seed").value == 9


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("depart", "1990-01-01T00:00"),
        ("depart", "2099-12-31T23:59"),
        ("duration", "15"),
        ("duration", "14400"),
        ("n", "500"),
        ("seed", "2147483647"),
        ("temperature", "0.1"),
        ("temperature", "2"),
    ],
)
def test_a_link_may_go_to_the_limits_of_every_control(checkpoint, name, value):
    page = open_page(**{name: value})
    assert query(page)[name] == value
    assert not page.exception
    assert not page.toast


def test_a_browser_that_saw_no_first_run_is_told_the_links_choices_by_the_next(checkpoint):
    link = {"depart": "2024-05-15T17:35", "n": "7", "seed": "5", "interval": "30", "temperature": "0.7"}
    page = open_page(**link, duration="600").run()
    assert [told(page, "number_input", key) for key in ("count", "seed", "minutes")] == [7, 5, 10]
    assert told(page, "date_input", "date") == ["2024-05-15"]
    assert told(page, "time_input", "time") == "17:35"
    assert page.selectbox(key="interval").proto.default == 6  # of 1, 2, 5, 10, 15, 20, 30 s
    assert told(page, "radio", "travel_time") == 1
    assert told(page, "slider", "temperature") == [0.7]


def test_what_somebody_chose_stays_though_the_link_had_another_value(checkpoint):
    page = open_page(n="7", seed="5")
    page.number_input(key="count").set_value(9).run()
    page.number_input(key="seed").set_value(6).run()
    assert (query(page)["n"], query(page)["seed"]) == ("9", "6")


def test_pasted_coordinates_become_the_route(checkpoint, place):
    page = open_page()
    page.text_area(key="pasted").set_value(via(place(0, 0), place(400, 0)))
    next(button for button in page.button if button.label == "Use these points").click()
    page.run()
    assert query(page)["via"] == via(place(0, 0), place(400, 0))
    assert not page.exception


def test_streets_by_name_become_origin_destination_and_further_points(checkpoint, grid):
    page = open_page()
    for street, corner, word in (
        ("Calle 0", "Avenida 1", "Set as origin"),
        ("Calle 3", "Avenida 4", "Set as destination"),
        ("Avenida 2", MIDDLE, "Drive on to there"),
    ):
        page.selectbox(key="route-street").set_value(street).run()
        page.selectbox(key="route-corner").set_value(corner).run()
        page.button[labels(page).index(word)].click().run()
        assert page.selectbox(key="route-street").value is None  # for the next one
    first, second, third = page.session_state["choices"].via
    assert (first, second) == (corners_of(grid, "Calle 0")["Avenida 1"], corners_of(grid, "Calle 3")["Avenida 4"])
    assert third == middle_of(grid, "Avenida 2")
    assert query(page)["via"].count(";") == 2
    assert [button.disabled for button in page.button if button.label == "Generate"] == [False]
    assert not page.exception


def test_pasted_nonsense_is_a_message(checkpoint):
    page = open_page()
    page.text_area(key="pasted").set_value("the port")
    next(button for button in page.button if button.label == "Use these points").click()
    page.run()
    assert "“the port” is no point" in sentences(page)
    assert not page.exception


def test_a_running_generation_can_be_stopped(checkpoint, ends, grid, monkeypatch):
    monkeypatch.setattr(htp_app.model, "load_generator", lambda _: FakeGenerator(grid, seconds_per_trip=0.1))
    page = open_page(via=ends, n="500")
    next(button for button in page.button if button.label == "Generate").click().run()
    next(button for button in page.button if button.label == "Stop").click().run()
    finish(page)
    assert "generate-result" not in page.session_state
    assert [button.label for button in page.button if button.label.startswith("Generate")] == ["Generate"]


@pytest.mark.parametrize("name", ["GeoParquet", "GeoJSON", "GPX", "CSV"])
def test_trips_are_offered_in_every_format(checkpoint, ends, name: str):
    trips = generate(open_page(via=ends, n="2")).session_state["generate-result"].trips
    begins = {
        "GeoParquet": b"PAR1",
        "GeoJSON": b'{"type": "FeatureCollection"',
        "GPX": b"<?xml",
        "CSV": b"trip_id,time,lon,lat",
    }
    assert file_bytes(trips, FORMATS[name]).startswith(begins[name])


def test_trips_are_offered_as_a_map_that_says_what_they_are(checkpoint, ends):
    page = generate(open_page(via=ends, n="2"))
    page.radio(key="format").set_value(MAP).run()
    assert not page.exception
    document = map_bytes(page.session_state["generate-result"], htp_app.model.current()).decode()
    assert "2 generated trips" in document
    assert "Made by a model of simulated traffic; nobody drove them." in document


def test_the_expected_travel_time_is_that_of_the_departure_on_the_screen(checkpoint, ends, monkeypatch):
    page = open_page(via=ends)
    asked = []
    quantiles = FakeTravelTime.quantiles

    def listen(self, city, routes, departs):
        asked.extend(departs)
        return quantiles(self, city, routes, departs)

    monkeypatch.setattr(FakeTravelTime, "quantiles", listen)
    page.time_input(key="time").set_value(dt.time(23, 5)).run()
    assert {depart.time() for depart in asked} == {dt.time(23, 5)}
