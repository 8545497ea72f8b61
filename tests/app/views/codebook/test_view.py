"""The page Codebook, driven without a browser; 300 trips are held out, whose token a_k is their k-th pattern's."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pytest
import streamlit as st
from driving import labels, opened, query
from fake_tokenizer import SIZES, FakeTokenizer

import htp_app.model
from htp.checkpoint import Checkpoint
from htp.errors import InputError
from htp_app.components.files import FORMATS, file_bytes
from htp_app.views.codebook import browsing
from htp_app.views.codebook.browsing import Browsing
from htp_app.views.codebook.controls import TRY, exported
from htp_app.views.codebook.maps import MAX_DRAWN

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

VIEW = Path(htp_app.model.__file__).parent / "views" / "codebook" / "view.py"
START = Browsing(SIZES)


def open_page(**link: str) -> AppTest:
    page = opened(VIEW, **link)
    for _ in range(200):
        if page.text_input or page.error:
            return page
        time.sleep(0.05)
        page.run()
    raise AssertionError("the trips were not encoded")


def sentences(page: AppTest) -> str:
    kinds = (page.error, page.toast, page.caption, page.markdown)
    return " ".join([*(one.value for kind in kinds for one in kind), *(one.proto.body for one in page.get("html"))])


def click_tile(page: AppTest, code: int) -> AppTest:
    """Do what the gallery's callback does."""
    page.session_state["codebook"] = page.session_state["codebook"].toggled(code)
    return page.run()


@pytest.fixture
def encoded(checkpoint) -> browsing.Encoded:
    """Return the fake's held-out trips, encoded."""
    job = browsing.encoding(htp_app.model.current())
    job.wait(60)
    assert job.result is not None
    return job.result


def test_a_first_visit_shows_the_codes_and_offers_one_to_try(checkpoint):
    page = open_page()
    assert "Try the slowest token" in labels(page)
    assert query(page) == {}
    assert "32 codes" in sentences(page)
    assert "256 codes, 255 unused; perplexity 1" in sentences(page)  # the fake's last layer has one code
    page.button[labels(page).index("Try the slowest token")].click().run()
    assert query(page)["tokens"].startswith("a_")
    assert "held-out simulated trips" in sentences(page)
    assert not page.exception


def test_a_token_that_is_clicked_shows_who_shares_it_and_a_second_click_takes_it_back(checkpoint):
    page = click_tile(open_page(), 0)
    assert query(page) == {"tokens": "a_0"}
    assert "<b>300</b> of 300 held-out simulated trips, 300 times; 150 of them on the map" in sentences(page)
    page = click_tile(page, 0)
    assert query(page) == {}
    assert not page.exception


def test_a_sequence_is_typed_and_found_in_trips_that_are_long_enough(checkpoint, encoded):
    two = int((encoded.trips.geometry.count_coordinates() > 8).sum())
    page = open_page()
    page.text_input(key="codebook-tokens").set_value("a_0, a_1").run()
    assert query(page) == {"tokens": "a_0,a_1"}
    assert f"<b>{two}</b> of 300" in sentences(page)
    assert not page.exception


def test_layers_are_drilled_down_one_after_another(checkpoint):
    page = open_page(tokens="a_0")
    layers = page.segmented_control(key="codebook-layer")
    assert layers.options == ["Layer 1: a_0", "Layer 2"]
    layers.set_value(1).run()
    assert query(page) == {"tokens": "a_0", "layer": "b"}
    roads = int(browsing.offered(encoded_of(), ((0,),), 0, 1).behind[0].code)
    page = click_tile(page, roads)
    assert query(page) == {"tokens": f"a_0.b_{roads}", "layer": "b"}
    assert page.segmented_control(key="codebook-layer").options == ["Layer 1: a_0", f"Layer 2: b_{roads}", "Layer 3"]
    assert not page.exception


def test_a_point_on_the_map_is_called_after_its_trip(checkpoint, encoded, monkeypatch):
    pictures = []
    monkeypatch.setattr("htp_app.views.codebook.maps.city_map", lambda _, picture: pictures.append(picture))
    assert not open_page(tokens="a_1").exception
    header = json.loads(pictures[-1].trips.payload.split(b"\n", 1)[0])
    trips = encoded.trips[encoded.trips.geometry.count_coordinates() > 8]  # those with a second pattern
    assert set(header["names"]) <= {f"Trip {name}" for name in trips["trip_id"]}
    assert len(header["names"]) == min(len(trips), MAX_DRAWN)


def test_an_example_that_was_asked_for_on_another_page_is_chosen_once(checkpoint):
    page = open_page()
    page.session_state[TRY] = True
    assert query(page.run())["tokens"].startswith("a_")
    page.button[labels(page).index("Take out")].click().run()
    assert query(page) == {}


def encoded_of() -> browsing.Encoded:
    result = browsing.encoding(htp_app.model.current()).result
    assert result is not None
    return result


def test_a_step_is_added_chosen_and_taken_out(checkpoint):
    page = open_page(tokens="a_0")
    page.button[labels(page).index("Then …")].click().run()
    assert query(page) == {"tokens": "a_0,*"}
    assert page.session_state["codebook"].step == 1
    page = click_tile(page, 1)
    assert query(page) == {"tokens": "a_0,a_1"}
    page.segmented_control(key="codebook-step").set_value(0).run()
    assert query(page) == {"tokens": "a_0,a_1", "step": "1"}
    page.button[labels(page).index("Take out")].click().run()
    assert query(page) == {"tokens": "a_1"}
    assert not page.exception


def test_a_link_brings_everything_back(checkpoint):
    link = {"tokens": "a_0.b_4,*", "step": "1", "layer": "c", "sort": "use"}
    page = open_page(**link)
    assert query(page) == link
    assert page.segmented_control(key="codebook-order").value == "use"
    assert not page.exception


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("tokens", "a_99", "a_0 to a_31"),
        ("tokens", "17", "is no token"),
        ("tokens", ",".join(["a_0"] * 9), "8 tokens at most"),
        ("step", "3", "1 to 1"),
        ("layer", "b", "it takes a"),
        ("sort", "colour", "speed, use or number"),
    ],
)
def test_a_broken_part_of_a_link_is_a_message(encoded, name, value, said):
    page = open_page(**{name: value})
    assert said in sentences(page)
    assert query(page) == {}
    assert not page.exception


def test_what_is_no_token_is_a_message_and_the_sequence_stays(checkpoint):
    page = open_page(tokens="a_0")
    page.text_input(key="codebook-tokens").set_value("b_3").run()
    assert "“b_3” is no token" in sentences(page)
    assert query(page) == {"tokens": "a_0"}
    assert not page.exception


def test_a_sequence_that_nobody_has_is_no_error(checkpoint):
    page = open_page(tokens="a_1,a_0", sort="number")
    assert "<b>0</b> of 300" in sentences(page)
    assert not page.exception


def test_a_refusal_of_the_tokenizer_is_a_message(checkpoint, monkeypatch):
    def refuse(*_: object) -> None:
        raise InputError("trip 3 has 4 points; the tokenizer takes 8 to 1024.")

    monkeypatch.setattr(FakeTokenizer, "encode", refuse)
    page = open_page()
    assert "trip 3 has 4 points" in sentences(page)
    assert not page.exception


def test_trips_are_encoded_once(checkpoint, monkeypatch, encoded):
    monkeypatch.setattr(FakeTokenizer, "encode", lambda *_: pytest.fail("encoded again"))
    page = open_page(tokens="a_0")
    page.text_input(key="codebook-tokens").set_value("a_1").run()
    assert not page.exception


@pytest.fixture
def sealed(checkpoint, tmp_path_factory, monkeypatch) -> Path:
    """Give the checkpoint a manifest and the app a workspace; return the folder of what it keeps there."""
    (checkpoint / "heldout.parquet").write_bytes(b"stands for the trips")
    Checkpoint(checkpoint).seal()
    workspace = tmp_path_factory.mktemp("workspace")
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--workspace", str(workspace)])
    return workspace / "cache"


def start_anew() -> browsing.Encoded:
    """Do what the next start of the app does when the page is opened."""
    st.cache_resource.clear()
    job = browsing.encoding(htp_app.model.current())
    job.wait(60)
    assert job.result is not None, job.error or job.crash
    return job.result


def test_the_next_start_of_the_app_finds_the_codes(sealed, monkeypatch):
    first = start_anew()
    assert len(list(sealed.iterdir())) == 1
    monkeypatch.setattr(FakeTokenizer, "encode", lambda *_: pytest.fail("encoded again"))
    again = start_anew()
    assert (again.book.codes == first.book.codes).all()
    assert again.trips.columns.tolist() == first.trips.columns.tolist()
    assert (again.trips["anchors"].iloc[7] == first.trips["anchors"].iloc[7]).all()


def test_other_trips_or_another_tokenizer_are_encoded_anew(sealed, checkpoint):
    start_anew()
    (checkpoint / "heldout.parquet").write_bytes(b"other trips")
    Checkpoint(checkpoint).seal()
    start_anew()
    assert len(list(sealed.iterdir())) == 2


def test_a_damaged_file_of_codes_is_made_anew(sealed):
    codes = start_anew().book.codes
    (path,) = sealed.iterdir()
    path.write_bytes(b"PAR1 and then nothing")
    assert (start_anew().book.codes == codes).all()
    assert path.stat().st_size > 1000


def test_a_workspace_that_cannot_be_written_to_costs_time_and_nothing_else(sealed):
    sealed.write_text("a file where the folder should be")
    assert len(start_anew().trips) == 300


@pytest.mark.parametrize("ending", FORMATS.values())
def test_the_trips_that_share_a_sequence_are_exported_with_where_it_begins(encoded, ending, tmp_path):
    choices = START.reading("a_1")
    trips = exported(encoded, choices, browsing.shared(encoded, choices.sequence))
    assert set(trips["sequence"]) == {"a_1"}
    assert set(trips["begins_at"]) == {"1"}
    path = tmp_path / f"trips{ending}"
    path.write_bytes(file_bytes(trips, ending))
    if ending == ".csv":
        assert pd.read_csv(path)["trip_id"].nunique() == len(trips)
    elif ending == ".gpx":
        assert path.read_text().count("<trk>") == len(trips)
    elif ending == ".geojson":
        found = json.loads(path.read_text())["features"]
        assert [one["properties"]["begins_at"] for one in found] == ["1"] * len(trips)
        assert found[0]["properties"]["patterns"][4] == 1  # the second pattern's first code
    else:
        assert gpd.read_parquet(path)["patterns"].map(lambda codes: codes[4]).eq(1).all()
