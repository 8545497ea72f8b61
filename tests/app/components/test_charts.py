"""Charts of trips."""

from __future__ import annotations

import numpy as np
import pytest

from htp.evaluate.profile import Profile
from htp_app.components.charts import length_histogram, time_distance


@pytest.mark.parametrize("values", [[8], [20, 200], [20, 1024], [5, 5, 6]], ids=str)
def test_every_trip_is_in_one_bin_of_the_length_histogram(values: list[int]):
    figure = length_histogram(np.array(values), np.array(values), "Held-out trips")
    assert [sum(trace.y) for trace in figure.data] == pytest.approx([100, 100])


TWO_TRIPS = Profile(
    first=np.array([0, 2, 5]),
    elapsed_s=np.array([0.0, 60, 0, 60, 120]),
    along_m=np.array([0.0, 1000, 0, 500, 1000]),
    speed_kmh=np.zeros(5),
)


def test_the_length_histogram_shows_shares_not_counts():
    figure = length_histogram(np.array([10, 10, 11, 13]), np.array([10]), "Held-out trips")
    assert list(figure.data[0].y[:4]) == [50, 25, 0, 25]
    assert list(figure.data[1].y[:4]) == [100, 0, 0, 0]


def test_the_time_distance_diagram_lifts_its_pen_between_trips():
    curves = time_distance(TWO_TRIPS, free_flow_s=50).data[0]
    assert curves.x[[0, 1, 3, 4, 5]].tolist() == [0, 1, 0, 1, 2]
    assert np.isnan(curves.x[[2, 6]]).all()
    assert curves.y[[0, 1, 3, 4, 5]].tolist() == [0, 1, 0, 0.5, 1]


def test_the_trip_that_is_looked_at_is_drawn_over_the_others():
    own = time_distance(TWO_TRIPS, 50, 2).data[-1]
    assert own.name == "Trip 2"
    assert (own.x.tolist(), own.y.tolist()) == ([0, 1, 2], [0, 0.5, 1])
