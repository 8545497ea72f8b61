"""Match tracks whose roads are known, with the noise, breaks and one-way streets that make a matcher go astray."""

from __future__ import annotations

import gc
import hashlib
import sys
from dataclasses import replace

import fastmm
import numpy as np
import pytest
import shapely

from htp.city.matching import (
    BROKEN,
    NO_ROAD,
    Matcher,
    city_fingerprint,
    default_cache,
    detours,
    ensure_paths,
    places_m,
)


@pytest.fixture(scope="module")
def matcher(grid):
    return Matcher(grid)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Return a user's empty cache folder for tables of paths."""
    monkeypatch.setattr("htp.city.matching.default_cache", lambda: tmp_path / "paths")
    (tmp_path / "paths").mkdir()
    return tmp_path / "paths"


@pytest.fixture
def on(place):
    """(city, x, y pairs in metres of the toy frame) -> track in the city's metres, [T, 2]."""
    return lambda city, *xy: city.to_metres(np.array([place(*one) for one in xy]))


def along(*xy, points=12):
    """Return points at even distances on the line through some corners."""
    return [
        tuple(one)
        for one in shapely.get_coordinates(
            shapely.line_interpolate_point(shapely.LineString(xy), np.linspace(0, 1, points), normalized=True)
        )
    ]


def test_a_drive_around_a_corner_lies_on_its_roads(triangle, on):
    (match,) = Matcher(triangle).match([on(triangle, (30, 3), (180, -3), (297, 20), (303, 170))])
    assert match.failure is None
    assert match.roads.tolist() == [0, 1]
    assert match.at.tolist() == [0, 0, 1, 1]
    assert match.point_roads.tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(match.offset_m, [30, 180, 20, 170], atol=0.1)
    np.testing.assert_allclose(places_m(triangle, match), [30, 180, 320, 470], atol=0.1)
    assert (match.first, match.stop) == (0, 4)


@pytest.mark.parametrize(("xs", "roads"), [((10, 90, 190), [8, 10]), ((190, 110, 10), [11, 9])], ids=["east", "west"])
def test_the_direction_of_travel_decides_between_the_two_roads_of_a_street(grid, matcher, on, xs, roads):
    (match,) = matcher.match([on(grid, *((x, 101) for x in xs))])
    assert match.roads.tolist() == roads


def test_roads_between_two_distant_points_are_filled_in(grid, matcher, on):
    (match,) = matcher.match([on(grid, (10, 0), (390, 0), (400, 300))])
    assert match.roads.tolist()[:5] == [0, 2, 4, 6, 72]
    assert grid.is_connected(match.roads)


def test_a_trip_far_from_every_road_has_none(grid, matcher, on):
    (match,) = matcher.match([on(grid, *((20 * k, 2000) for k in range(10)))])
    assert match.failure == NO_ROAD
    assert len(match.roads) == len(match.at) == len(match.offset_m) == 0


@pytest.mark.parametrize("points", [1, 2])
def test_a_very_short_trip_is_no_error(grid, matcher, on, points):
    (match,) = matcher.match([on(grid, (10, 0), (90, 0))[:points]])
    assert (match.failure is None) == (points == 2)


def test_of_a_trip_that_leaves_the_roads_the_longest_part_is_kept(grid, matcher, on):
    before, away, after = along((10, 0), (90, 0), points=4), [(3000, 3000)], along((400, 5), (400, 395), points=9)
    track_m = on(grid, *before, *away, *after)
    (match,) = matcher.match([track_m])
    assert (match.first, match.stop) == (5, 14)
    assert match.roads.tolist() == [72, 74, 76, 78]
    ((one, other),) = matcher.parts([track_m])
    assert (one.first, one.stop, one.roads.tolist()) == (0, 4, [0])
    assert other.roads.tolist() == match.roads.tolist()


def test_a_match_is_cut_at_a_detour_and_both_parts_are_there(triangle, on):
    ((one, other),) = Matcher(triangle).parts([on(triangle, (50, 0), (150, 0), (90, 0), (170, 0), (250, 0))])
    assert (one.first, one.stop, other.first, other.stop) == (0, 2, 2, 5)
    assert one.roads.tolist() == other.roads.tolist() == [0]
    np.testing.assert_allclose(other.offset_m, [90, 170, 250], atol=0.1)


@pytest.mark.parametrize(("back_m", "first"), [(40, 0), (60, 2)], ids=["noise", "more than noise"])
def test_a_point_behind_the_one_before_never_makes_the_car_go_around_the_block(triangle, on, back_m, first):
    """On a one-way street of the triangle the way back is 1,200 m long."""
    (match,) = Matcher(triangle).match([on(triangle, (50, 0), (150, 0), (150 - back_m, 0), (170, 0), (250, 0))])
    assert match.roads.tolist() == [0]
    assert (match.first, match.stop) == (first, 5)


def test_no_part_without_a_detour_is_a_break(triangle, on):
    (match,) = Matcher(triangle).match([on(triangle, (200, 0), (100, 0))])
    assert match.failure == BROKEN


@pytest.mark.parametrize(
    ("driven_m", "straight_m", "found"),
    [
        ([100, 100, 500, 100], [100, 100, 100, 100], [2]),
        ([100, 100, 500, 100], [100, 400, 100, 100], []),  # as fast as a step beside it: a ramp
        ([100, 100, 220, 100], [100, 100, 100, 100], []),  # 220 < 1.3 · 100 + 100
        ([400, 100, 100, 100, 400], [20, 100, 100, 100, 20], [0, 4]),
        ([101], [0], [0]),
        ([99], [0], []),
    ],
    ids=["loop", "ramp", "short", "at the ends", "alone", "short alone"],
)
def test_a_detour_is_long_against_its_straight_line_and_its_neighbours(driven_m, straight_m, found):
    steps = len(driven_m)
    # the same trip twice: neither sees the other
    flags = detours(
        np.tile(driven_m, 2).astype(float), np.tile(straight_m, 2).astype(float), np.arange(2).repeat(steps)
    )
    assert np.flatnonzero(flags).tolist() == found + [step + steps for step in found]


def test_a_match_is_connected_and_its_points_never_change_to_a_road_before(grid, matcher, random_trips):
    trips = random_trips(grid, [20, 40, 60] * 5, seed=4)
    tracks = [grid.to_metres(shapely.get_coordinates(line)) for line in trips.geometry]
    for track_m, match in zip(tracks, matcher.match(tracks), strict=True):
        assert match.failure is None
        assert grid.is_connected(match.roads)
        assert (np.diff(match.at) >= 0).all()
        assert (match.at[0], match.at[-1]) == (0, len(match.roads) - 1)
        assert 0 <= match.first < match.stop <= len(track_m)
        assert (match.offset_m >= -0.01).all()
        assert (match.offset_m <= grid.length_m[match.point_roads] + 0.01).all()


def test_a_match_does_not_depend_on_the_others(grid, matcher, random_trips):
    trips = random_trips(grid, [20, 30, 40], seed=5)
    tracks = [grid.to_metres(shapely.get_coordinates(line)) for line in trips.geometry]
    for alone, together in zip([matcher.match([track])[0] for track in tracks], matcher.match(tracks), strict=True):
        assert alone.roads.tolist() == together.roads.tolist()
        assert alone.offset_m.tolist() == together.offset_m.tolist()


def test_no_trips_have_no_matches(matcher):
    assert matcher.match([]) == matcher.parts([]) == []


def test_the_matcher_keeps_the_network_that_fastmm_reads_from(grid, on):
    matcher = Matcher(grid)
    gc.collect()
    assert gc.get_referrers(matcher._network)
    assert matcher.match([on(grid, (10, 0), (90, 0))])[0].roads.tolist() == [0]


def test_the_logger_of_fastmm_writes_nothing_to_standard_output(grid, on, capfd, cache):
    sys.stdout.write("before\n")
    Matcher(grid).match([on(grid, (10, 0), (90, 0))])
    sys.stdout.write("after\n")
    assert capfd.readouterr().out == "before\nafter\n"


def test_the_table_of_paths_is_made_once(grid, on, cache, monkeypatch):
    folder = ensure_paths(grid)
    assert list(cache.iterdir()) == [folder]
    (table,) = folder.glob("*.bin")
    made = table.stat().st_mtime_ns
    (match,) = Matcher(grid).match([on(grid, (10, 0), (390, 0), (400, 300))])
    assert match.roads.tolist()[:5] == [0, 2, 4, 6, 72]
    monkeypatch.setattr("htp.city.matching.Matcher", None)  # would fail if it were called
    ensure_paths(grid)
    assert [path.name for path in cache.iterdir()] == [folder.name]
    assert table.stat().st_mtime_ns == made


def test_a_home_that_cannot_be_written_costs_time_and_a_sentence(grid, on, cache, capfd):
    cache.rmdir()
    cache.write_text("no folder")
    folder = ensure_paths(grid)
    made = next(folder.glob("*.bin")).stat().st_mtime_ns
    assert ensure_paths(grid) == folder
    for paths in (None, folder):  # of this process, and of a worker that is told
        (match,) = Matcher(grid, paths).match([on(grid, (10, 0), (390, 0), (400, 300))])
        assert match.roads.tolist()[:5] == [0, 2, 4, 6, 72]
    assert next(folder.glob("*.bin")).stat().st_mtime_ns == made
    assert cache.read_text() == "no folder"
    assert capfd.readouterr().err == (
        f"htp: {cache} cannot be written, so the table of paths for map matching lasts for this run alone; point "
        "XDG_CACHE_HOME to a folder that can be written.\n"
    )


def test_a_table_that_cannot_be_put_in_its_place_is_used_all_the_same(grid, on, cache):
    (match,) = Matcher(grid, cache / "away" / "table").match([on(grid, (10, 0), (390, 0), (400, 300))])
    assert match.roads.tolist()[:5] == [0, 2, 4, 6, 72]
    assert list(cache.iterdir()) == []


def test_of_two_tables_made_at_once_one_stays(grid, cache, monkeypatch):
    make = fastmm.FastMapMatch

    def beaten(*arguments, cache_dir, **options):
        monkeypatch.setattr(fastmm, "FastMapMatch", make)
        ensure_paths(grid)
        return make(*arguments, cache_dir=cache_dir, **options)

    monkeypatch.setattr(fastmm, "FastMapMatch", beaten)
    Matcher(grid)
    (folder,) = cache.iterdir()
    assert (folder / "digests.json").is_file()


def test_a_table_that_was_not_finished_is_never_there(grid, cache, monkeypatch):
    def stop(*_, cache_dir, **__):
        cache_dir.mkdir()
        (cache_dir / "half").write_text("a table")
        raise KeyboardInterrupt

    monkeypatch.setattr(fastmm, "FastMapMatch", stop)
    with pytest.raises(KeyboardInterrupt):
        Matcher(grid)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [lambda _: b"", lambda _: b"\xff" * 1000, lambda whole: whole[:400] + bytes(40) + whole[440:]],
    ids=["empty", "junk", "altered in the middle"],
)
def test_a_damaged_table_is_made_again(grid, on, cache, damage):
    ensure_paths(grid)
    (table,) = cache.glob("*/*.bin")
    whole = table.read_bytes()
    damaged = damage(whole)
    assert damaged != whole
    table.write_bytes(damaged)
    (match,) = Matcher(grid).match([on(grid, (10, 0), (390, 0), (400, 300))])
    assert match.roads.tolist()[:5] == [0, 2, 4, 6, 72]
    made = next(cache.glob("*/*.bin")).read_bytes()
    assert made != damaged
    assert len(made) == len(whole)  # not the same bytes: fastmm leaves gaps of its records as they were in memory
    assert hashlib.sha256(made).hexdigest() in next(cache.glob("*/digests.json")).read_text()


def test_cities_that_differ_only_in_geometry_have_tables_of_their_own(grid, triangle):
    moved = grid.roads.copy()
    moved.geometry = moved.geometry.translate(xoff=1e-3)
    prints = {city_fingerprint(city) for city in (grid, triangle, replace(grid, roads=moved))}
    assert len(prints) == 3
    assert city_fingerprint(replace(grid, name="Other name")) in prints


def test_the_users_cache_is_where_the_system_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "htp" / "paths"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert default_cache() == tmp_path / "home" / ".cache" / "htp" / "paths"
