"""Make labels whose values are known, and hold what every label promises: forward, invertible, without detours."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from htp.city.linear_referencing import RouteLines
from htp.city.matching import NO_ROAD, Match, Matcher, places_m
from htp.compute.ragged import Ragged
from htp.prepare.label import MAX_RATIO, MIN_RATIO, Labels, forward, label

ABC = [0, 1]  # roads of the triangle: 300 m east, then 400 m north


def match_of(city, roads, along_m, first=0):
    """Return a match by hand from the places of its points along the route."""
    ends = np.cumsum(city.length_m[roads])
    at = np.minimum(np.searchsorted(ends, along_m, side="left"), len(roads) - 1)
    return Match(first, np.array(roads, dtype=np.int32), at, np.asarray(along_m) - (ends - city.length_m[roads])[at])


@pytest.fixture
def labels_of(triangle, place):
    """(track in metres of the toy frame, match or places along A-B-C) -> labels of the one stretch, or a reason."""

    def make(track, match, min_points=2, interval_s=15.0):
        track_m = triangle.to_metres(np.array([place(*xy) for xy in track]))
        match = match if isinstance(match, Match) else match_of(triangle, ABC, match)
        (own,) = label(triangle, [track_m], [match], interval_s, min_points=min_points)
        if isinstance(own, str):
            return own
        (one,) = own
        return one

    return make


def placed(city, labels):
    """Return the aligned points of labels in metres."""
    lines = RouteLines.of(city, [labels.roads])
    return lines.place(np.zeros(len(labels.percent), dtype=np.int64), labels.percent * lines.length_m[0])


def test_percent_and_offset_of_three_points_by_hand(labels_of):
    one = labels_of([(30, 4), (240, -3), (304, 120)], [30, 240, 420])
    assert one.roads.tolist() == ABC
    np.testing.assert_allclose(one.percent, [30 / 700, 240 / 700, 420 / 700], atol=1e-4)
    np.testing.assert_allclose(one.offset_m, [(0, 4), (0, -3), (4, 0)], atol=0.05)
    assert one.ratio == pytest.approx(390 / (np.hypot(210, 7) + np.hypot(64, 123)), abs=1e-3)


def test_the_route_is_trimmed_to_what_was_driven(labels_of):
    """The last two points were matched to the second road, and lie far from it."""
    one = labels_of([(30, 0), (100, 0), (170, 0), (100, 300), (90, 300)], [30, 100, 170, 600, 610])
    assert one.roads.tolist() == [0]
    np.testing.assert_allclose(one.percent, [0.1, 1 / 3, 170 / 300], atol=1e-4)


def test_roads_before_the_first_point_that_is_kept_are_trimmed_as_well(labels_of):
    one = labels_of([(30, 90), (300, 30), (300, 100), (300, 180)], [30, 330, 400, 480])
    assert one.first == 1
    assert one.roads.tolist() == [1]
    np.testing.assert_allclose(one.percent, [30 / 400, 100 / 400, 180 / 400], atol=1e-4)


@pytest.mark.parametrize("aside_m", [-1e-7, 0.0, 1e-7])
def test_rounding_does_not_decide_the_road_of_an_end_that_lies_on_a_node(labels_of, aside_m):
    node_m = 300 + aside_m
    one = labels_of([(30, 0), (165, 0), (300, 0)], [30, 165, node_m])
    assert (one.roads.tolist(), one.percent[-1]) == ([0], 1.0)
    one = labels_of([(300, 0), (300, 150), (300, 270)], [node_m, 450, 570])
    assert (one.roads.tolist(), one.percent[0]) == ([1], pytest.approx(0, abs=1e-8))


def test_the_first_point_counts_from_the_start_of_the_whole_trip(labels_of, triangle):
    match = match_of(triangle, ABC, [60, 130, 200, 270], first=3)
    one = labels_of([(9, 9)] * 3 + [(60, 0), (130, 0), (200, 0), (270, 0)], match)
    assert (one.first, one.roads.tolist()) == (3, [0])


@pytest.mark.parametrize(
    ("away", "kept"),
    [
        ({3: 60}, range(7)),
        ({3: 60, 4: 60}, range(3)),
        ({0: 60}, range(1, 7)),
        ({6: 60}, range(6)),
        ({4: 160}, range(4)),
    ],
    ids=["one is borne", "two in a row", "first", "last", "very far"],
)
def test_points_that_were_driven_elsewhere_are_cut_off(labels_of, away, kept):
    one = labels_of([(45 * k, away.get(k, 0)) for k in range(7)], 45.0 * np.arange(7), min_points=3)
    assert (one.first, len(one.percent)) == (kept[0], len(kept))


def test_every_stretch_that_is_long_enough_has_labels_of_its_own(triangle, place):
    away = {4: 160, 8: 60, 9: 60}
    track_m = triangle.to_metres(np.array([place(25 * k, away.get(k, 0)) for k in range(13)]))
    match = match_of(triangle, [0], 25.0 * np.arange(13), first=0)
    (own,) = label(triangle, [track_m], [match], 15.0, min_points=3)
    assert [(one.first, len(one.percent)) for one in own] == [(0, 4), (5, 3), (10, 3)]
    np.testing.assert_allclose(own[1].percent, [125 / 300, 150 / 300, 175 / 300], atol=1e-4)
    (own,) = label(triangle, [track_m], [match], 15.0, min_points=4)
    assert [one.first for one in own] == [0]


@pytest.mark.parametrize(
    ("along_m", "track", "reason"),
    [
        ([0, 100, 200], [(0, 0), (100, 0), (200, 0)], "matched_part_too_short"),
        ([0, 60, 120, 180], [(0, 0), (60, 0), (120, 90), (180, 90)], "off_road"),
        ([0, 50, 100, 150], [(0, 0), (35, 0), (70, 0), (105, 0)], "detour"),
        ([0, 40, 80, 120], [(0, 0), (40, 40), (80, 0), (120, 40)], "shortcut"),
        ([70, 50, 30, 10], [(70, 0), (50, 0), (30, 0), (10, 0)], "shortcut"),
        ([50, 50, 50, 50], [(50, 0), (50, 0), (50, 0), (50, 0)], "shortcut"),
    ],
    ids=["too short", "off road", "detour", "shortcut", "against a one-way street", "never moved"],
)
def test_what_cannot_have_been_driven_is_dropped_with_its_reason(labels_of, along_m, track, reason):
    assert labels_of(track, along_m, min_points=4) == reason


def test_a_failed_match_passes_its_reason_on_and_spares_its_neighbours(triangle):
    nothing = Match(0, np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0), NO_ROAD)
    good = match_of(triangle, [0], [10, 90, 170])
    track_m = triangle.xy_m[0] + np.array([(10, 0), (90, 0), (170, 0)])
    results = label(triangle, [track_m] * 3, [nothing, good, nothing], 15.0, min_points=2)
    assert (results[0], results[2]) == (NO_ROAD, NO_ROAD)
    assert [type(one) for one in results[1]] == [Labels]
    assert label(triangle, [track_m], [nothing], 15.0, min_points=2) == [NO_ROAD]
    assert label(triangle, [], [], 15.0, min_points=2) == []


@pytest.mark.parametrize(
    ("along_m", "x_m", "expected"),
    [
        ([0, 10, 20], [0, 10, 20], [0, 10, 20]),
        ([0, 30, 20, 40], [0, 30, 15, 40], [0, 25, 25, 40]),  # the nearest sequence, not the running maximum
        ([0, 50, 53, 49, 90], [0, 50, 53, 49, 90], [0, 152 / 3, 152 / 3, 152 / 3, 90]),  # stands: one place, the mean
        ([0, 5, 10, 15, 20, 25], [0, 5, 10, 15, 20, 25], [0, 5, 10, 15, 20, 25]),  # 25 m in small steps: it drives
        ([100, 60, 20], [100, 60, 20], [60, 60, 60]),
    ],
    ids=["forward", "one step back", "standing", "creeping", "backwards"],
)
def test_places_are_brought_forward(along_m, x_m, expected):
    xy_m = np.column_stack([x_m, np.zeros(len(x_m))]).astype(float)
    rows = Ragged.of([along_m, along_m], float)  # neither sees the other
    np.testing.assert_allclose(forward(rows, np.tile(xy_m, (2, 1)), 6.0).flat, expected * 2)


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(-50, 500)), min_size=2, max_size=30), st.floats(0.1, 6))
def test_places_never_run_backwards_nor_leave_the_range_of_the_matched_ones(points, still_m):
    along_m, x_m = np.array(points).T
    places = forward(Ragged.of([along_m]), np.column_stack([x_m, np.zeros(len(x_m))]), still_m).flat
    assert (np.diff(places) >= 0).all()
    assert along_m.min() - 1e-6 <= places[0]
    assert places[-1] <= along_m.max() + 1e-6


@given(seed=st.integers(0, 2**32 - 1), noise_m=st.floats(0, 15), points=st.integers(20, 60))
def test_labels_of_noisy_drives_keep_what_they_promise(grid, matcher, random_trips, seed, noise_m, points):
    line = random_trips(grid, [points], seed=seed).geometry.iloc[0]
    track_m = grid.to_metres(shapely.get_coordinates(line))
    track_m = track_m + np.random.default_rng(seed).normal(0, noise_m, track_m.shape)
    matches = matcher.match([track_m])
    (own,) = label(grid, [track_m], matches, 15.0, min_points=2)
    if isinstance(own, str):
        assert own in {"broken", "matched_part_too_short", "off_road", "detour", "shortcut"}
        return
    for one in own:
        keeps_what_it_promises(grid, track_m, one)


def keeps_what_it_promises(grid, track_m, one):
    kept_m = track_m[one.first : one.first + len(one.percent)]
    np.testing.assert_allclose(placed(grid, one) + one.offset_m, kept_m, atol=0.002)  # exactly, but for 32 bits
    assert (np.diff(one.percent) >= 0).all()
    assert 0 <= one.percent[0] <= one.percent[-1] <= 1
    assert grid.is_connected(one.roads)
    lengths_m = grid.length_m[one.roads]
    assert one.percent[0] * lengths_m.sum() <= lengths_m[0] + 0.01  # the first point lies on the first road
    assert one.percent[-1] * lengths_m.sum() >= lengths_m[:-1].sum() - 0.01  # and the last on the last
    gps_m = np.hypot(*np.diff(kept_m, axis=0).T).sum()
    driven_m = (one.percent[-1] - one.percent[0]) * lengths_m.sum()
    assert MIN_RATIO - 0.001 <= driven_m / gps_m <= MAX_RATIO + 0.001


def test_a_car_that_stands_in_the_noise_stays_in_one_place(triangle, place):
    rng = np.random.default_rng(0)
    xs = np.r_[np.arange(0, 150, 50), np.full(20, 150), np.arange(200, 300, 50)]
    track = np.column_stack([xs + rng.normal(0, 1, len(xs)), rng.normal(0, 1, len(xs))])
    track_m = triangle.to_metres(np.array([place(*xy) for xy in track]))
    (match,) = Matcher(triangle).match([track_m])
    ((one,),) = label(triangle, [track_m], [match], 15.0, min_points=20)
    standing = one.percent[3:23]
    assert np.ptp(standing) == 0
    assert standing[0] * 300 == pytest.approx(np.mean(places_m(triangle, match)[3:23]), abs=0.1)
