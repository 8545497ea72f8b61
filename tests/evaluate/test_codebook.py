"""What stands behind codes: on the triangle, whose roads run east, north and south-west at 10 m/s, and by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from htp.errors import InputError
from htp.evaluate.codebook import Codebook, CodebookUse, name_of, parse_sequence

SIZES = (4, 8)
LENGTH_M = 300.0 + 400.0 + 500.0  # of the triangle's route


def trips_of(city, along_m, codes, roads=(0, 1, 2)) -> gpd.GeoDataFrame:
    """Return trips along the triangle with points at these metres, every 10 s, exactly on the road."""
    corners = np.array([[0.0, 0.0], [300.0, 0.0], [300.0, 400.0], [0.0, 0.0]])
    route = shapely.LineString(city.xy_m[0] + corners)
    lines = [
        shapely.LineString(city.to_lonlat(shapely.get_coordinates(shapely.line_interpolate_point(route, one))))
        for one in along_m
    ]
    columns = {
        "trip_id": [f"trip-{at}" for at in range(len(along_m))],
        "start_time": pd.Timestamp("2024-05-14 08:00", tz=city.timezone),
        "interval": 10.0,
        "roads": [np.array(roads)] * len(along_m),
        "percent": [np.array(one) / LENGTH_M for one in along_m],
        "patterns": [np.array(part, dtype=np.int16).ravel() for part in codes],
    }
    return gpd.GeoDataFrame(columns, geometry=lines, crs="EPSG:4326")


@pytest.fixture
def book(triangle) -> Codebook:
    """Return two trips: 18 points 20 m apart (three patterns), and 9 points 40 m apart (two)."""
    along_m = [np.arange(18) * 20.0, np.arange(9) * 40.0]
    codes = [[(1, 0), (2, 3), (1, 5)], [(2, 3), (1, 5)]]
    return Codebook.of(trips_of(triangle, along_m, codes), triangle, SIZES)


def test_a_pattern_stands_for_eight_points_and_the_last_for_the_rest(book):
    assert book.first_point.tolist() == [0, 8, 16, 18, 26]
    assert book.stop_point.tolist() == [8, 16, 18, 26, 27]
    assert book.trip.tolist() == [0, 0, 0, 1, 1]


def test_a_path_begins_at_the_point_before_and_heads_up(book):
    # the second pattern's steps run east, from 140 m to 300 m: all ahead, nothing to the right
    assert book.path_m[1, :, 1] == pytest.approx(np.arange(9) * 20.0, abs=0.5)
    assert book.path_m[1, :, 0] == pytest.approx(0.0, abs=0.5)
    # the third starts at the corner's east-going road and turns left, north: 300 m are reached, then 320, 340
    assert book.path_m[2, :3] == pytest.approx(np.array([[0, 0], [-20, 0], [-40, 0]]), abs=0.5)
    assert np.isnan(book.path_m[2, 3:]).all()


def test_a_trips_first_point_has_no_step_into_it(book):
    assert np.isnan(book.speed_kmh[0, 0])
    assert book.speed_kmh[0, 1:] == pytest.approx(7.2, abs=0.01)  # 20 m in 10 s
    assert book.speed_kmh[1] == pytest.approx(7.2, abs=0.01)
    assert book.speed_kmh[4, 0] == pytest.approx(14.4, abs=0.01)
    assert np.isnan(book.speed_kmh[4, 1:]).all()
    assert book.path_m[0, :2] == pytest.approx(0.0, abs=0.5)


def test_consecutive_patterns_of_one_trip_are_found(book):
    assert book.where([(1,)]).tolist() == [0, 2, 4]
    assert book.where([(1, 5)]).tolist() == [2, 4]
    assert book.where([(2,), (1,)]).tolist() == [1, 3]
    assert book.where([(1,), (2,)]).tolist() == [0]  # not across the border from the first trip to the second
    assert book.where([(1,), (), (1, 5)]).tolist() == [0]
    assert book.where([()]).tolist() == [0, 1, 2, 3, 4]
    assert book.where([(3,)]).tolist() == []
    assert book.where([()] * 6).tolist() == []


def test_what_stands_behind_a_code_is_the_mean_of_its_patterns(book):
    one, two = book.behind(book.where([()]), 0)
    assert (one.code, one.count, two.code, two.count) == (1, 3, 2, 2)
    # steps of code 2: one pattern at 7.2 km/h, one at 14.4 km/h; quartiles lie a quarter and a half of the way
    assert two.speed_kmh[:, 3] == pytest.approx([9.0, 10.8, 12.6], abs=0.01)
    assert two.mean_kmh == pytest.approx(10.8 * 7 / 8 + 7.2 / 8, abs=0.01)  # the second has no step into its first
    # the first begins 20 m before its first point, the second at it: 160 m and 280 m ahead at their last points
    assert two.path_m[-1, 1] == pytest.approx(220.0, abs=1.0)
    assert len(two.examples_m) == 2


def test_the_codes_behind_a_token_can_be_looked_at_alone(book):
    assert [(one.code, one.count) for one in book.behind(book.where([(1,)]), 1)] == [(0, 1), (5, 2)]


def test_a_great_many_patterns_have_eight_examples(triangle):
    codes = [[(1, 0)]] * 40
    book = Codebook.of(trips_of(triangle, [np.arange(8) * 10.0] * 40, codes), triangle, SIZES)
    (one,) = book.behind(book.where([()]), 0)
    assert (one.count, len(one.examples_m)) == (40, 8)


def test_use_counts_every_code_and_says_how_varied_they_are(book):
    use = book.use(0)
    assert use.counts.tolist() == [0, 3, 2, 0]
    assert use.share.tolist() == [0.0, 0.6, 0.4, 0.0]
    assert use.unused == 2
    assert use.perplexity == pytest.approx(0.6**-0.6 * 0.4**-0.4)


@pytest.mark.parametrize(("counts", "perplexity"), [([5, 5, 5, 5], 4.0), ([9, 0, 0], 1.0), ([0, 0], 1.0)])
def test_perplexity_runs_from_one_to_the_number_of_codes(counts, perplexity):
    assert CodebookUse(np.array(counts)).perplexity == pytest.approx(perplexity)


def test_codes_that_do_not_fit_the_points_are_refused(triangle):
    along_m = [np.arange(18) * 20.0]
    with pytest.raises(InputError, match="trip-0 has 2 patterns; its 18 points take 3"):
        Codebook.of(trips_of(triangle, along_m, [[(0, 0), (0, 0)]]), triangle, SIZES)
    with pytest.raises(InputError, match="trip-0 has codes beyond its layers"):
        Codebook.of(trips_of(triangle, along_m, [[(0, 0), (0, 8), (0, 0)]]), triangle, SIZES)


def test_a_sequence_is_written_and_read_alike():
    sequence = ((1,), (), (2, 3))
    text = ",".join(map(name_of, sequence))
    assert text == "a_1,*,a_2.b_3"
    assert parse_sequence(text, SIZES) == sequence
    assert parse_sequence(" a_1 , * , a_2.b_3, ", SIZES) == sequence
    assert parse_sequence("", SIZES) == ()


@pytest.mark.parametrize("text", ["17", "a_4", "b_1", "a_1.c_1", "a_-1", "a_1.b_8", "a_1.b_1.c_1", "a_", "a_²"])
def test_what_is_no_token_is_refused(text):
    with pytest.raises(InputError, match="is no token; write a_17"):
        parse_sequence(text, SIZES)
