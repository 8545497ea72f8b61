"""Check generated trips against their conditions: number of points, distance, time, route, seed, batch, intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely

import htp
import htp.generate
from htp.conditions import conditions_of
from htp.errors import InputError
from htp.evaluate.validity import validity
from htp.generate import load_tokenizer, reconstruct, tokenize
from htp.generate_files import generate_along, generate_like
from htp.trip_source import Sampling
from htp.trips import Conditions, Route, read_trips, write_trips

DEPART = pd.Timestamp("2024-05-06 08:15", tz="America/Santiago")
DURATION_S = 420.0  # 29 points at 15 s


@pytest.fixture(scope="module")
def generator(tiny_checkpoint):
    return htp.Generator.load(tiny_checkpoint, device="cpu")


def test_without_a_checkpoint_the_one_that_ships_is_loaded(monkeypatch, tiny_checkpoint):
    monkeypatch.setattr("htp.generate.shipped", lambda: tiny_checkpoint)
    assert htp.Generator.load(device="cpu").checkpoint == tiny_checkpoint


@pytest.fixture(scope="module")
def route(generator, place):
    """Return 750 m from the south-west to the north-east of the grid, begun and ended within a block."""
    return generator.city.route([place(30, 0), place(400, 380)])


@pytest.fixture(scope="module")
def conditions(route):
    return Conditions(route, DEPART, DURATION_S)


def driven_m(trips, city):
    lengths = np.array([city.length_m[roads].sum() for roads in trips["roads"]])
    return lengths * [percent[-1] - percent[0] for percent in trips["percent"]]


def as_text(trips):
    return [line.wkt for line in trips.geometry]


def test_a_trip_has_as_many_points_as_time_and_interval_ask_for(generator, conditions):
    trips = generator.generate(conditions, n=3)
    assert shapely.get_num_coordinates(trips.geometry.to_numpy()).tolist() == [29] * 3
    assert [len(percent) for percent in trips["percent"]] == [29] * 3
    assert trips["interval"].tolist() == [15.0] * 3
    assert (trips["start_time"] == DEPART).all()


def test_trips_are_tables_as_the_design_says(generator, conditions, tmp_path):
    trips = generator.generate(conditions, n=2)
    assert trips["trip_id"].tolist() == ["0-0", "0-1"]
    assert trips.crs == "EPSG:4326"
    assert [len(patterns) for patterns in trips["patterns"]] == [4 * 4] * 2  # four patterns of four codes
    assert trips["length_token"].tolist() == [6, 6]  # 29 is odd, 15 is odd, 8 is even
    assert str(trips["start_time"].dt.tz) == "America/Santiago"
    write_trips(trips, tmp_path / "trips.parquet")
    again = read_trips(tmp_path / "trips.parquet")
    assert as_text(again) == as_text(trips)
    assert [p.tolist() for p in again["patterns"]] == [p.tolist() for p in trips["patterns"]]


def test_a_trip_begins_and_ends_where_its_route_does(generator, conditions, route):
    trips = generator.generate(conditions, n=4)
    length_m = generator.city.length_m[route.roads]
    for percent in trips["percent"]:
        assert percent[0] * length_m.sum() == pytest.approx(route.start_m, abs=0.5)
        assert percent[-1] * length_m.sum() == pytest.approx(length_m[:-1].sum() + route.end_m, abs=0.5)
        assert (np.diff(percent) >= 0).all()
    assert all(roads.tolist() == route.roads.tolist() for roads in trips["roads"])


def test_points_lie_off_their_road_by_their_offset(generator, conditions):
    trip = generator.generate(conditions).iloc[0]
    route = shapely.LineString(
        np.concatenate([shapely.get_coordinates(generator.city.lines_m[road]) for road in trip["roads"]])
    )
    aligned = shapely.get_coordinates(
        shapely.line_interpolate_point(route, np.asarray(trip["percent"], dtype=float) * route.length)
    )
    points = generator.city.to_metres(shapely.get_coordinates(trip.geometry))
    np.testing.assert_allclose(points - aligned, np.reshape(trip["offset"], (-1, 2)), atol=0.15)  # 1e-6 degrees


def test_time_and_distance_are_those_of_the_conditions_and_all_trips_are_valid(generator):
    real = generator.heldout()
    wanted = conditions_of(real, generator.city)
    trips = generator.generate(wanted)
    duration_s = (shapely.get_num_coordinates(trips.geometry.to_numpy()) - 1) * trips["interval"]
    np.testing.assert_allclose(duration_s, [c.duration_s for c in wanted], rtol=0.02)
    np.testing.assert_allclose(driven_m(trips, generator.city), [c.distance_m for c in wanted], rtol=0.02)
    assert validity(real, trips.assign(trip_id=real["trip_id"]), generator.city).everything == 1.0


def test_the_same_seed_gives_the_same_trips_and_another_seed_others(generator, conditions):
    first, again, other = (as_text(generator.generate(conditions, n=3, seed=seed)) for seed in (7, 7, 8))
    assert first == again
    assert not set(first) & set(other)


def test_a_trip_depends_on_its_place_in_the_request_alone(generator, conditions, monkeypatch):
    many = as_text(generator.generate(conditions, n=7, seed=3))
    assert len(set(many)) == 7
    assert as_text(generator.generate(conditions, n=2, seed=3)) == many[:2]
    longer = replace(conditions, duration_s=generator.recording.longest_s)
    mixed = generator.generate([conditions, longer, conditions], seed=3)
    assert as_text(mixed)[0] == many[0]
    assert as_text(mixed)[2] == many[2]
    monkeypatch.setattr(generator, "limit", 3)
    assert as_text(generator.generate(conditions, n=7, seed=3)) == many


def test_trips_are_the_same_however_many_workers_share_them(generator, monkeypatch):
    asked = conditions_of(generator.heldout(), generator.city) * 3
    monkeypatch.setattr(htp.generate, "BATCH", 8)
    made = []
    for workers in (1, 2, 3):
        monkeypatch.setattr(generator, "workers", workers)
        made.append(generator.generate(asked, seed=4))
    for other in made[1:]:
        assert list(other["trip_id"]) == list(made[0]["trip_id"])
        assert all(np.array_equal(a, b) for a, b in zip(other["patterns"], made[0]["patterns"], strict=True))
        assert all(np.allclose(a, b) for a, b in zip(other["percent"], made[0]["percent"], strict=True))


def test_temperature_0_leaves_chance_to_the_offsets_alone(generator, conditions):
    trips = generator.generate(conditions, n=3, temperature=0.0)
    assert len({tuple(patterns) for patterns in trips["patterns"]}) == 1
    assert len(set(as_text(trips))) == 3


@pytest.mark.parametrize(("interval_s", "points"), [(30.0, 15), (5.0, 85), (60.0, 8)])
def test_other_sampling_intervals_are_the_same_drive_seen_more_or_less_often(generator, conditions, interval_s, points):
    every_15 = generator.generate(conditions, seed=5).iloc[0]
    trips = generator.generate(replace(conditions, interval_s=interval_s), seed=5)
    trip = trips.iloc[0]
    assert trips["interval"].tolist() == [interval_s]
    assert shapely.get_num_coordinates(trip.geometry) == len(trip["percent"]) == points
    assert trip["percent"][0] == pytest.approx(every_15["percent"][0], abs=1e-6)
    assert trip["percent"][-1] == pytest.approx(every_15["percent"][-1], abs=1e-6)
    assert (np.diff(trip["percent"]) >= 0).all()
    if interval_s == 30.0:
        np.testing.assert_allclose(trip["percent"], every_15["percent"][::2], atol=1e-6)


def test_a_missing_duration_is_drawn_and_differs_from_trip_to_trip(generator, place):
    route = generator.city.route([place(30, 0), place(400, 380), place(0, 20)])
    trips = generator.generate(Conditions(route, DEPART), n=40, seed=1)
    points = shapely.get_num_coordinates(trips.geometry.to_numpy())
    assert points.min() >= 20
    assert len(set(points)) > 3
    again = generator.generate(Conditions(route, DEPART), n=5, seed=1)
    assert shapely.get_num_coordinates(again.geometry.to_numpy()).tolist() == points[:5].tolist()


def test_the_start_time_may_be_text_in_local_time(generator, conditions):
    from_text = generator.generate(replace(conditions, depart="2024-05-06 08:15"), n=2)
    assert as_text(from_text) == as_text(generator.generate(conditions, n=2))
    assert (from_text["start_time"] == DEPART).all()


def test_progress_says_how_many_trips_are_done_of_how_many(generator, conditions, monkeypatch):
    monkeypatch.setattr(generator, "limit", 4)
    heard = []
    generator.generate(conditions, n=10, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(4, 10), (8, 10), (10, 10)]


def test_one_trip_is_generated_like_each_given_one_under_its_name(generator, tiny_data, tmp_path):
    heard = []
    out = tmp_path / "out.parquet"
    count = generate_like(
        generator, tiny_data / "heldout.parquet", out, Sampling(), seed=2, progress=lambda *all_: heard.append(all_)
    )
    real, made = read_trips(tiny_data / "heldout.parquet"), read_trips(out)
    assert count == len(real) == len(made)
    assert heard[-1] == (count, count)
    assert made["trip_id"].tolist() == real["trip_id"].tolist()
    assert (made["start_time"] == real["start_time"]).all()
    assert all(a.tolist() == b.tolist() for a, b in zip(made["roads"], real["roads"], strict=True))
    assert [len(p) for p in made["percent"]] == [len(p) for p in real["percent"]]


def test_several_trips_are_drawn_for_each_given_one(generator, tiny_data, tmp_path):
    like, out, plain = tiny_data / "heldout.parquet", tmp_path / "draws.parquet", tmp_path / "one.parquet"
    real = read_trips(like)
    assert generate_like(generator, like, out, Sampling(), draws=3, seed=2) == 3 * len(real)
    made = read_trips(out)
    assert made["trip_id"].tolist() == [f"{name}/{number}" for name in real["trip_id"] for number in (1, 2, 3)]
    assert [len(p) for p in made["percent"]] == [len(p) for p in real["percent"] for _ in range(3)]
    assert len({tuple(percent) for percent in made["percent"][:3]}) == 3
    generate_like(generator, like, plain, Sampling(), seed=2)
    assert made["percent"][0].tolist() == read_trips(plain)["percent"][0].tolist()  # the first place in the request


def test_travel_times_are_drawn_where_they_are_not_to_be_told(generator, tiny_data, tmp_path):
    like, out = tiny_data / "heldout.parquet", tmp_path / "drawn.parquet"
    generate_like(generator, like, out, Sampling(), draws=2, draw_time=True, seed=2)
    real, made = read_trips(like), read_trips(out)
    points = np.array([len(percent) for percent in made["percent"]]).reshape(-1, 2)
    assert (points != np.array([[len(percent)] for percent in real["percent"]])).any()
    assert (points[:, 0] != points[:, 1]).any()
    routes = [roads for roads in real["roads"] for _ in range(2)]
    assert all(a.tolist() == b.tolist() for a, b in zip(made["roads"], routes, strict=True))


def test_a_drawn_time_far_from_all_that_was_learned_is_cut_for_a_driven_trip_alone(generator, tiny_data, monkeypatch):
    monkeypatch.setattr(generator.travel_time, "draw", lambda _, routes, *__: np.full(len(routes), 1.0))
    trips = read_trips(tiny_data / "heldout.parquet").iloc[:3]
    driven = [replace(one, duration_s=None) for one in conditions_of(trips, generator.city)]
    assert (generator.completed(driven, 0, seed=1).duration_s == generator.recording.shortest_s).all()
    with pytest.raises(InputError, match="a travel time of"):
        generator.completed([replace(one, distance_m=None) for one in driven], 0, seed=1)


def test_trips_along_a_route_stream_into_a_file_as_generated_at_once(generator, conditions, tmp_path, monkeypatch):
    monkeypatch.setattr(generator, "limit", 2)
    assert generate_along(generator, conditions, 5, tmp_path / "out.parquet", Sampling(), seed=9) == 5
    streamed, at_once = read_trips(tmp_path / "out.parquet"), generator.generate(conditions, n=5, seed=9)
    assert as_text(streamed) == as_text(at_once)
    assert streamed["trip_id"].tolist() == at_once["trip_id"].tolist()


def test_trips_that_are_not_prepared_cannot_be_asked_like(generator, tiny_data, tmp_path):
    raw = read_trips(tiny_data / "heldout.parquet").drop(columns=["percent", "offset", "roads"])
    write_trips(raw, tmp_path / "raw.parquet")
    with pytest.raises(InputError, match=r"raw\.parquet: the column 'roads' is missing; run `htp prepare`"):
        generate_like(generator, tmp_path / "raw.parquet", tmp_path / "out.parquet", Sampling())
    assert [path.name for path in tmp_path.iterdir()] == ["raw.parquet"]


def test_stage_1_alone_sends_trips_there_and_back(tiny_checkpoint, tiny_data):
    tokenizer, trips = load_tokenizer(tiny_checkpoint), read_trips(tiny_data / "heldout.parquet")
    with_tokens, back = tokenize(trips, tokenizer), reconstruct(trips, tokenizer, seed=1)
    assert as_text(with_tokens) == as_text(trips)
    counts = [len(percent) for percent in trips["percent"]]
    assert [len(p) for p in with_tokens["patterns"]] == [4 * -(-n // 8) for n in counts]
    assert [p.tolist() for p in back["patterns"]] == [p.tolist() for p in with_tokens["patterns"]]
    assert [len(p) for p in back["percent"]] == counts
    np.testing.assert_allclose(
        driven_m(back, tokenizer.city), driven_m(trips, tokenizer.city), atol=0.5
    )  # the distance is told
    piece = reconstruct(trips.iloc[3:5].reset_index(drop=True), tokenizer, seed=1, first=3)
    assert as_text(piece) == as_text(back)[3:5]


def test_a_checkpoint_without_a_tokenizer_is_named(tmp_path):
    with pytest.raises(InputError, match="holds no tokenizer; train one with `htp train tokenizer`"):
        load_tokenizer(tmp_path)


def asked(conditions, **changes):
    return replace(conditions, **changes)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"route": Route(np.array([0, 4], dtype=np.int32))},
            "the route has a gap: road 4 does not begin where road 0 ends",
        ),
        ({"route": Route(np.array([], dtype=np.int32))}, "the route is empty"),
        ({"route": Route(np.array([0, 80], dtype=np.int32))}, "names roads that this city does not have"),
        ({"route": Route(np.array([-1], dtype=np.int32))}, "names roads that this city does not have"),
        ({"route": Route(np.array([0], dtype=np.int32), 50.0, 50.0)}, "ends where it begins"),
        ({"distance_m": 5000.0}, "a distance of 5000 m does not fit its route; it allows 700 to 901 m"),
        ({"route": Route(np.array([0, 2], dtype=np.int32), start_m=140.0)}, "begins 140.0 m along its first road"),
        ({"route": Route(np.array([0, 2], dtype=np.int32), end_m=-5.0)}, "ends -5.0 m along its last road"),
        ({"distance_m": 10.0}, "a distance of 10 m does not fit its route"),
        ({"distance_m": float("nan")}, "a distance of nan m does not fit its route"),
        ({"duration_s": float("nan")}, "a travel time of nan min"),
        ({"duration_s": -60.0}, r"a travel time of -1 min; trips of [\d.]+ to [\d.]+ min can be generated"),
        ({"duration_s": 1e9}, r"trips of [\d.]+ to [\d.]+ min can be generated"),
        ({"duration_s": float("inf")}, "a travel time of inf min"),
        ({"interval_s": 0.0}, "a sampling interval of 0 s; choose 1 to 120 s"),
        ({"interval_s": float("nan")}, "a sampling interval of nan s"),
        ({"depart": "2024-09-08 00:30"}, "does not exist in America/Santiago"),
        ({"depart": "tomorrow"}, "'tomorrow' is no time"),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value)[:40],
)
def test_conditions_that_cannot_be_met_are_a_sentence(generator, conditions, change, sentence):
    with pytest.raises(InputError, match=sentence):
        generator.generate(asked(conditions, **change))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"n": 0}, "no trips are asked for"),
        ({"n": -3}, "no trips are asked for"),
        ({"n": 10**9}, "1,000,000,000 trips are asked for; one request takes at most 1,000,000"),
        ({"temperature": 9.0}, "temperature is 9.0; give 0 to 5"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"seed": -1}, "the seed is -1; give 0 to"),
        ({"seed": 2**61}, "the seed is 2305843009213693952; give 0 to"),
    ],
    ids=str,
)
def test_requests_that_make_no_sense_are_a_sentence(generator, conditions, arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        generator.generate(conditions, **arguments)


def test_no_conditions_are_no_trips(generator):
    with pytest.raises(InputError, match="no trips are asked for"):
        generator.generate([])


def test_the_second_of_two_trips_is_named_where_it_cannot_be_met(generator, conditions):
    with pytest.raises(InputError, match="trip 1: a distance of 9999 m"):
        generator.generate([conditions, asked(conditions, distance_m=9999.0)])
