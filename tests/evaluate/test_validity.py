"""Check trips against their conditions on a route of 700 m, east for 300 m and then north."""

import numpy as np
import pytest

from htp.errors import InputError
from htp.evaluate.validity import Validity, validity
from htp.trips import write_trips

ROUTE = [0, 1]  # 300 m and 400 m
PERCENT = [0.1, 0.3, 0.3, 0.9]  # 70 m, 210 m, 210 m, 630 m along
ALIGNED = [(70, 0), (210, 0), (210, 0), (300, 330)]
OFFSET = [(0, 3), (2, -4), (2, -4), (5, 0)]


@pytest.fixture
def trip(trips_at):
    """Return a labelled trip; what is given replaces its part."""

    def make(percent=PERCENT, aligned=ALIGNED, offset=OFFSET, roads=ROUTE, interval=15.0, **columns):
        points = [(x + dx, y + dy) for (x, y), (dx, dy) in zip(aligned, offset, strict=True)]
        return trips_at(
            points,
            roads=[np.array(roads, dtype=np.int32)],
            percent=[np.array(percent, dtype=np.float32)],
            offset=[np.array(offset, dtype=np.float32).ravel()],
            interval=np.array([interval], dtype=np.float32),
            **columns,
        )

    return make


def test_a_trip_keeps_to_its_own_conditions(trip, triangle):
    assert validity(trip(), trip(), triangle) == Validity(1, 1.0, 1.0, 1.0, 1.0, 1.0)


def test_files_are_checked_like_tables(trip, triangle, tmp_path):
    write_trips(trip(), tmp_path / "trips.parquet")
    path = tmp_path / "trips.parquet"
    assert validity(path, str(path), triangle) == Validity(1, 1.0, 1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        pytest.param({"aligned": [(70, 0), (210, 0), (210, 2), (300, 330)]}, {"on_route"}, id="a point 2 m off"),
        pytest.param({"roads": [0]}, {"on_route", "distance"}, id="another route"),
        pytest.param(
            {"percent": [0.1, 0.3, 0.2, 0.9], "aligned": [(70, 0), (210, 0), (140, 0), (300, 330)]},
            {"on_route"},
            id="a point that runs back",
        ),
        pytest.param(
            {"percent": [0.1, 0.3, 0.3, 0.92], "aligned": [*ALIGNED[:3], (300, 344)]}, {"distance"}, id="2.5 % farther"
        ),
        pytest.param(
            {"percent": [0.1, 0.3, 0.3, 0.91], "aligned": [*ALIGNED[:3], (300, 337)]}, set(), id="1.25 % farther"
        ),
        pytest.param({"interval": 15.4}, {"time"}, id="2.7 % slower"),
        pytest.param({"interval": 14.8}, set(), id="1.3 % faster"),
        pytest.param(
            {"percent": [0.1, 0.3, 0.9], "aligned": [*ALIGNED[:2], ALIGNED[3]], "offset": [*OFFSET[:2], OFFSET[3]]},
            {"points", "time"},
            id="a point fewer",
        ),
    ],
)
def test_each_condition_is_checked_by_itself(trip, triangle, changed, broken):
    found = validity(trip(), trip(**changed), triangle)
    assert {name for name in ("on_route", "points", "time", "distance") if getattr(found, name) == 0} == broken
    assert found.everything == (0 if broken else 1)


def test_trips_without_percent_are_checked_for_points_and_time_alone(trip, triangle):
    generated = trip().drop(columns=["percent", "offset"])
    assert validity(trip(), generated, triangle) == Validity(1, None, 1.0, 1.0, None, None)


def test_trips_of_other_ids_are_not_checked(trip, triangle):
    assert validity(trip(), trip(trip_id=["other"]), triangle) is None
    assert validity(trip().drop(columns="trip_id"), trip(), triangle) is None


def test_a_trip_with_fewer_values_of_percent_than_points_is_named(trip, triangle):
    generated = trip()
    generated["percent"] = [np.array([0.1, 0.9], dtype=np.float32)]
    with pytest.raises(InputError, match="Trip t0 has more or fewer values of percent"):
        validity(trip(), generated, triangle)
