"""Read tables in pieces, and name trips that cannot be measured."""

import numpy as np
import pandas as pd
import pytest

from htp.errors import InputError
from htp.evaluate.checked_trips import CheckedTrips, number_of, read_pieces
from htp.trips import write_trips

LINE = [(0, 0), (30, 0)]


def test_a_table_and_its_file_come_in_the_same_pieces(trips_at, tmp_path):
    trips = trips_at(*[LINE] * 5)
    write_trips(trips, tmp_path / "trips.parquet")
    for source in (trips, tmp_path / "trips.parquet"):
        ids = [piece["trip_id"].tolist() for piece in read_pieces(source, 2)]
        assert ids == [["t0", "t1"], ["t2", "t3"], ["t4"]]
        assert number_of(source) == 5


def test_a_piece_holds_points_intervals_and_hours(triangle, trips_at):
    piece = CheckedTrips.of(trips_at(LINE, [*LINE, (60, 0)]), triangle)
    assert piece.points.tolist() == [2, 3]
    assert piece.lonlat.shape == (5, 2)
    assert piece.interval_s.tolist() == [15, 15]
    assert piece.hour.tolist() == [8] * 5


def test_swapped_coordinates_are_named(triangle, trips_at):
    trips = trips_at([(0, 0), (30, 0)], [(0, 0), (30, 0)])
    lines = trips.geometry.to_list()
    lines[1] = type(lines[1])([(lat, lon) for lon, lat in lines[1].coords])
    with pytest.raises(InputError, match=r"Trip t1 .* Triangle \(it begins at \[-29\.90156, -71\..*longitude first"):
        CheckedTrips.of(trips.set_geometry(lines, crs="EPSG:4326"), triangle)


def test_points_instead_of_lines_are_named(triangle, trips_at):
    trips = trips_at([(0, 0), (30, 0)])
    with pytest.raises(InputError, match="Trip t0 is no line"):
        CheckedTrips.of(trips.set_geometry(trips.geometry.representative_point()), triangle)


@pytest.mark.parametrize("seconds", [0, -15, np.nan], ids=str)
def test_an_interval_that_is_none_is_named(triangle, trips_at, seconds):
    with pytest.raises(InputError, match=r"Trip t1 has an interval of \S+ s; give .* more than 0"):
        CheckedTrips.of(trips_at(LINE, LINE, interval=np.array([15, seconds])), triangle)


def test_a_trip_that_begins_at_no_time_is_named(triangle, trips_at):
    trips = trips_at(LINE, LINE)
    trips.loc[1, "start_time"] = pd.NaT
    with pytest.raises(InputError, match="Trip t1 has no start_time"):
        CheckedTrips.of(trips, triangle)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda trips: trips.drop(columns="interval"), "no column 'interval'"),
        (lambda trips: trips.drop(columns="start_time"), "no 'start_time' with a time zone"),
        (lambda trips: trips.assign(start_time=trips["start_time"].dt.tz_localize(None)), "with a time zone"),
    ],
    ids=["no interval", "no start", "no zone"],
)
def test_a_table_without_clocks_is_refused(triangle, trips_at, change, message):
    with pytest.raises(InputError, match=message):
        CheckedTrips.of(change(trips_at(LINE)), triangle)
