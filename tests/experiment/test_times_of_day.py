"""Check what is asked for at three times of day."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from htp.experiment.data import Data
from htp.experiment.settings import ExperimentSettings
from htp.experiment.times_of_day import times_of_day
from htp.methods.protocol import check_prepared


@pytest.fixture
def data(tiny_data):
    return Data.load(tiny_data, tiny_data / "city", ExperimentSettings(1.0))


def test_the_median_route_is_asked_for_at_three_hours_of_its_day(data, grid):
    asked = times_of_day(data)
    check_prepared(asked, grid)
    assert list(asked["trip_id"]) == ["08:00", "13:00", "23:00"]
    length_m = sorted(float(grid.length_m[np.asarray(roads)].sum()) for roads in data.heldout["roads"])
    assert grid.length_m[np.asarray(asked["roads"].iloc[0])].sum() == pytest.approx(length_m[11])  # of 24
    assert all(np.array_equal(roads, asked["roads"].iloc[0]) for roads in asked["roads"])
    assert asked["start_time"].dt.date.nunique() == 1


def test_the_number_of_points_is_that_of_the_median_travel_time(data, monkeypatch):
    monkeypatch.setattr("htp.experiment.times_of_day.TravelTimeModel.draw", lambda *_: np.array([600.0, 300.0, 10.0]))
    asked = times_of_day(data)
    counts = shapely.get_num_coordinates(asked.geometry).tolist()
    assert counts == [len(percent) for percent in asked["percent"]] == [41, 21, 8]  # of 15 s; 8 points at least
    driven = [percent[-1] - percent[0] for percent in asked["percent"]]
    assert driven == pytest.approx([driven[0]] * 3)
