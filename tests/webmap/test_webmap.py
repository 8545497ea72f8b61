"""Trips as a map in one HTML file: what it says, that its numbers are the trips', that it asks nobody for anything."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely

from htp.evaluate.profile import Profile
from htp.webmap import trips_map
from htp.webmap.webmap import POINT_UNIT, RAMP, STREET_UNIT, colours

THEME = Path(__file__).parents[2] / "app" / "map" / "frontend" / "src" / "theme.js"
TITLE, NOTE = "Two generated trips", "Made by a model of simulated traffic; nobody drove them."


@pytest.fixture
def trips(grid, random_trips):
    return random_trips(grid, [20, 33])


@pytest.fixture
def document(trips, grid) -> str:
    return trips_map(trips, grid, 60, title=TITLE, note=NOTE)


def drawn(document: str) -> dict:
    """Return what the document draws."""
    found = re.search(r"^drawTrips\(\w+, (\{.*\})\);", document, re.MULTILINE)
    return json.loads(found[1])


def places(steps: list[int], unit: float) -> np.ndarray:
    """Do what the browser does: steps, latitude first, to longitude and latitude."""
    return np.cumsum(np.reshape(steps, (-1, 2)), axis=0)[:, ::-1] * unit


def test_the_points_and_speeds_are_those_of_the_trips(document, trips, grid):
    data = drawn(document)
    assert [one["name"] for one in data["trips"]] == ["Trip 1", "Trip 2"]
    for one, line in zip(data["trips"], trips.geometry, strict=True):
        found = places(one["steps"], data["point_unit"])
        assert np.abs(found - shapely.get_coordinates(line)).max() <= POINT_UNIT / 2 + 1e-9
    speed_kmh = Profile.of(trips, grid).speed_kmh
    assert np.abs(np.concatenate([one["kmh"] for one in data["trips"]]) - speed_kmh).max() <= 0.5


def test_a_trip_starts_at_the_time_of_the_citys_clocks(document, trips):
    first = trips["start_time"].iloc[0]
    assert drawn(document)["trips"][0]["start_s"] == first.hour * 3600 + first.minute * 60 + first.second


def test_the_streets_around_the_trips_are_drawn_with_their_names(document, grid):
    data = drawn(document)
    assert {data["names"][name] for _, name, _ in data["streets"]} == set(grid.roads["name"])
    lines = [shapely.LineString(places(steps, STREET_UNIT)) for *_, steps in data["streets"]]
    ends = shapely.multipoints(shapely.get_coordinates(grid.roads.geometry.to_numpy()))
    assert shapely.hausdorff_distance(shapely.extract_unique_points(shapely.union_all(lines)), ends) < 2 * STREET_UNIT


def test_far_streets_are_left_out(grid, trips):
    far = grid.roads.copy()
    far.loc[40:, "geometry"] = shapely.transform(far.geometry.iloc[40:].to_numpy(), lambda lonlat: lonlat + 0.1)
    data = drawn(trips_map(trips, replace(grid, roads=far), 60, title=TITLE, note=NOTE))
    assert {data["names"][name] for _, name, _ in data["streets"]} == {f"Calle {i}" for i in range(5)}


def test_it_says_what_the_trips_are_and_whose_the_roads(document):
    panel = drawn(document)["panel"]
    assert TITLE in panel
    assert NOTE in panel
    assert "Grid" in panel
    assert "openstreetmap.org/copyright" in drawn(document)["credit"]
    assert f"<title>{TITLE}</title>" in document


def test_nothing_is_loaded_from_anywhere_and_the_browser_is_told_to_forbid_it(document):
    assert "default-src 'none'" in document
    assert not re.findall(r"<script[^>]+src|<link|@import|<iframe|<img", document)
    assert not re.findall(r"url\(\s*['\"]?(?:https?:)?//", document)
    assert "Leaflet 1.9.4" in document  # with its authors and licence


def test_a_name_with_markup_is_shown_as_text(grid, trips):
    city = replace(grid, name="<img src=x onerror=alert(1)>", roads=grid.roads.assign(name="</script><b>"))
    document = trips_map(trips, city, 60, title="<i>", note="a & b")
    assert "<img" not in document
    assert "</script><b>" not in document
    data = drawn(document)
    assert "&lt;img" in data["panel"]
    assert "<h1>&lt;i&gt;</h1>" in data["panel"]
    assert data["names"] == ["</script><b>"]  # the browser puts it into the page as text


def test_the_ramp_is_that_of_the_app_and_begins_and_ends_with_its_ends():
    light = re.search(r"LIGHT = .*?ramp: (\[.*?\])", THEME.read_text(encoding="utf-8"), re.DOTALL)
    assert tuple(json.loads(light[1])) == RAMP
    found = colours(60)
    assert len(found) == 61
    assert (found[0], found[12], found[60]) == (RAMP[0], RAMP[1], RAMP[5])  # a colour every 12 km/h
