"""Turn one chunk of raw trips into prepared trips, and refuse options that no trips can be prepared under."""

from __future__ import annotations

import numpy as np
import pytest

from htp.city.matching import Matcher
from htp.errors import InputError
from htp.prepare.chunk import prepare_chunk
from htp.prepare.options import PrepareOptions
from htp.trips import read_trips, write_trips

NOON_S = 1_714_996_800  # when the trips of `raw` start


def test_a_chunk_of_trips_without_a_route_is_counted_and_can_be_written(raw, drive, matcher, tmp_path):
    prepared = prepare_chunk(raw(drive(20) + np.array([0, 30_000]), drive(3)), matcher, PrepareOptions(15.0))
    assert prepared.tally.dropped == {"out_of_town": 1, "too_short": 1}
    write_trips(prepared.trips, tmp_path / "part.parquet")
    assert len(read_trips(tmp_path / "part.parquet")) == 0


def test_a_chunk_counts_what_was_cut(raw, drive, matcher):
    track = drive(22, step_m=35.0)
    track[0] = (200, 150)  # 50 m from every road and far from the next point
    prepared = prepare_chunk(raw(track, drive(20)), matcher, PrepareOptions(15.0, min_points=15))
    assert prepared.tally.kept == 2
    assert prepared.tally.cut == 1
    trips = prepared.trips.set_index("trip_id")
    assert len(trips.loc["0", "percent"]) < 22
    cut = 22 - len(trips.loc["0", "percent"])
    assert prepared.tally.left_out == {"unmatched": cut}
    assert trips.loc["0", "start_time"].timestamp() == NOON_S + 15 * cut


def test_every_part_of_a_drive_that_is_long_enough_is_a_trip_of_its_own(raw, triangle):
    """On a one-way street a point far behind the one before is a cut."""
    xs = np.r_[10:170:20, 90:290:20, 200, 150, 170]
    track = np.column_stack([xs, np.zeros(len(xs))])
    prepared = prepare_chunk(raw(track, track[:8]), Matcher(triangle), PrepareOptions(15.0))
    assert prepared.trips["trip_id"].tolist() == ["0-0", "0-1", "1"]
    assert [len(percent) for percent in prepared.trips["percent"]] == [8, 10, 8]
    starts_s = [start.timestamp() - NOON_S for start in prepared.trips["start_time"]]
    assert starts_s == [0, 8 * 15, 0]
    tally = prepared.tally
    assert (tally.rows, tally.further, tally.kept, tally.dropped) == (2, 1, 3, {})
    assert (tally.read, tally.points, tally.left_out.total(), tally.cut) == (29, 26, 3, 1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"interval_s": 0.0}, "The interval is 0.0 s"),
        ({"interval_s": float("nan")}, "The interval is nan s"),
        ({"interval_s": 4000.0}, "up to 3600 s"),
        ({"heldout_share": 1.0}, "The held-out share is 1.0"),
        ({"heldout_share": -0.1}, "The held-out share is -0.1"),
        ({"workers": 0}, "0 workers were asked for"),
        ({"columns": {"speed": "v"}}, "'speed' names no column of trips; name trip_id, time, lon, lat"),
    ],
)
def test_bad_options_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        PrepareOptions(**values)
