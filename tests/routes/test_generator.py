"""Check HTP+'s routes: only over roads that may follow, as far as asked, the same in any company; and its training."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch

import htp.routes.train as training
from htp.compute import training_loop
from htp.config import LanguageConfig, LanguageTraining
from htp.errors import InputError
from htp.routes.batch import RouteDataset
from htp.routes.conditions import (
    ANY_ROAD,
    RouteConditions,
    condition_features,
    route_conditions_from,
    route_conditions_of,
)
from htp.routes.generator import RouteGenerator
from htp.routes.train import RouteTrainer
from htp.trip_source import Sampling
from htp.trips import Conditions, Route

SIZES = LanguageConfig(hidden=16, layers=1, heads=2, kv_heads=1, intermediate=16, text_vocabulary=1)
SETTINGS = LanguageTraining(epochs=2, batch_size=2, learning_rate=1e-2)


@pytest.fixture(scope="module")
def road_features(grid):
    return torch.randn(len(grid), 5, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def new_writer(grid, road_features):
    return lambda: RouteGenerator.new(grid, road_features, SIZES)


@pytest.fixture
def route_generator(new_writer):
    """Return a writer with strong random weights."""
    made = new_writer()
    for name, parameter in made.model.named_parameters():
        if not name.startswith("backbone"):
            torch.nn.init.normal_(parameter, std=0.5)
    return made


def facts_for(grid, starts, distances_m, goals=None):
    """Return conditions of drives on a Tuesday at 08:15 at 5 m/s."""
    count = len(starts)
    return RouteConditions(
        np.array(starts),
        pd.DatetimeIndex(["2024-05-14 08:15"] * count, tz=grid.timezone),
        np.array(distances_m, dtype=float) / 5,
        np.array(distances_m, dtype=float),
        np.full((count, 2), np.nan) if goals is None else np.array(goals, dtype=float),
    )


def keys_of(count, seed=0):
    return np.array([[seed, at] for at in range(count)], dtype=np.uint64)


def as_lists(routes):
    return [route.tolist() for route in routes]


def middle(grid):
    return (grid.xy_m.min(axis=0) + grid.xy_m.max(axis=0)) / 2


@pytest.mark.parametrize("temperature", [0.0, 1.0, 5.0])
def test_a_route_takes_only_roads_that_may_follow_and_its_distance_fits(route_generator, grid, temperature):
    starts = [0, 17, 44, ANY_ROAD, ANY_ROAD, 79] * 3
    distances = np.r_[30.0, 100.0, 101.0, 199.9, 850.0, np.linspace(40, 2000, 13)]
    facts = facts_for(grid, starts, distances, [middle(grid), [np.nan] * 2] * 9)
    for route, start, distance_m in zip(
        route_generator.generate(facts, keys_of(18), Sampling(temperature)), starts, distances, strict=True
    ):
        assert start in (ANY_ROAD, route[0])
        assert all(grid.successors[a, b] for a, b in pairwise(route))
        length_m = grid.length_m[route]
        assert length_m[1:-1].sum() <= distance_m <= length_m.sum() + 0.02


def test_the_number_of_roads_is_what_distance_leaves_open(route_generator, grid):
    # blocks of 100 m: 250 m need three roads, and a fourth is possible, for the first and last need not be driven whole
    facts = facts_for(grid, [0] * 60, [250.0] * 60)
    assert {len(route) for route in route_generator.generate(facts, keys_of(60))} == {3, 4}


def test_a_dead_end_is_left_by_turning_round(grid, road_features):
    # Calle 0 alone: east to its end, back west to its other end, and so on
    street = replace(grid, roads=grid.roads.iloc[:8].reset_index(drop=True))
    route_generator = RouteGenerator.new(street, road_features[:8], SIZES)
    route = route_generator.generate(facts_for(street, [4], [1150.0]), keys_of(1))[0]
    assert route[:12].tolist() == [4, 6, 7, 5, 3, 1, 0, 2, 4, 6, 7, 5]


def test_a_route_does_not_depend_on_what_is_written_beside_it(route_generator, grid):
    facts = facts_for(grid, [3, ANY_ROAD, 20, 60, ANY_ROAD], [300, 1400, 8000, 90, 700], [middle(grid)] * 5)
    together = as_lists(route_generator.generate(facts, keys_of(5, seed=3)))
    assert len(together[2]) > 70  # more numbers than are drawn at once
    for at in range(5):
        alone = RouteConditions(*[getattr(facts, name)[[at]] for name in RouteConditions.__dataclass_fields__])
        assert as_lists(route_generator.generate(alone, keys_of(5, seed=3)[[at]])) == [together[at]]


def test_another_key_gives_another_route_and_the_same_key_the_same(route_generator, grid):
    facts = facts_for(grid, [5] * 6, [1500.0] * 6)
    keys = np.array([[0, 0], [0, 1], [0, 2], [0, 3], [0, 4], [0, 0]], dtype=np.uint64)
    first, *others, again = as_lists(route_generator.generate(facts, keys))
    assert first == again
    assert any(first != other for other in others)


def test_only_the_likeliest_is_written_at_temperature_0(route_generator, grid):
    facts = facts_for(grid, [5, ANY_ROAD], [1500.0] * 2)
    first = as_lists(route_generator.generate(facts, keys_of(2, 1), Sampling(0.0)))
    assert first == as_lists(route_generator.generate(facts, keys_of(2, 2), Sampling(0.0)))


def test_progress_is_told_of_every_route(route_generator, grid):
    heard = []
    route_generator.generate(facts_for(grid, [5] * 7, [150.0] * 7), keys_of(7), progress=heard.append)
    assert sum(heard) == 7


def test_training_learns_to_go_where_it_is_told(new_writer, grid, tmp_path):
    # all from road 0, half on east over road 2, half north over road 48, and only the destination says which
    goals = np.tile(np.add(grid.xy_m.min(axis=0), [[200.0, 0.0], [100.0, 100.0]]), (32, 1))
    facts = facts_for(grid, [0] * 64, [190.0] * 64, goals)
    routes = [np.array([0, 2]), np.array([0, 48])] * 32
    route_generator = new_writer()
    settings = LanguageTraining(epochs=60, batch_size=16, learning_rate=1e-2)
    RouteTrainer(route_generator, settings, tmp_path).fit(facts, routes, lambda _: None)
    told = as_lists(route_generator.generate(facts, keys_of(64)))
    assert np.mean([w == r.tolist() for w, r in zip(told, routes, strict=True)]) > 0.9
    untold = as_lists(route_generator.generate(replace(facts, destination_m=np.full((64, 2), np.nan)), keys_of(64)))
    assert 0.25 < np.mean([route[1] == 2 for route in untold]) < 0.75


def test_training_learns_where_drives_begin(new_writer, grid, tmp_path):
    facts = facts_for(grid, [0] * 64, [90.0] * 64)
    route_generator = new_writer()
    settings = LanguageTraining(epochs=20, batch_size=16, learning_rate=1e-2)
    RouteTrainer(route_generator, settings, tmp_path).fit(facts, [np.array([0])] * 64, lambda _: None)
    written = route_generator.generate(replace(facts, start_road=np.full(64, ANY_ROAD)), keys_of(64))
    assert np.mean([route[0] == 0 for route in written]) > 0.9


@pytest.fixture
def train(new_writer, grid, random_trips, monkeypatch):
    """Return a function that trains a new writer in a folder, stopped by Ctrl-C when a step is reported."""
    monkeypatch.setattr(training, "LOG_EVERY_S", -1.0)
    monkeypatch.setattr(training_loop, "SAVE_EVERY_S", -1.0)
    trips = random_trips(grid, [20, 30, 25, 40, 33], seed=1)
    length_m = [
        grid.length_m[roads].sum() * (p[-1] - p[0]) for roads, p in zip(trips["roads"], trips["percent"], strict=True)
    ]
    facts = facts_for(grid, [roads[0] for roads in trips["roads"]], length_m, [middle(grid)] * 5)

    def run(folder, settings=SETTINGS, stop_at=None, made=None):
        def report(line):
            if line["step"] == stop_at:
                raise KeyboardInterrupt

        route_generator = made or new_writer()
        RouteTrainer(route_generator, settings, folder).fit(facts, list(trips["roads"]), report)
        return route_generator

    return run


def test_a_training_that_was_stopped_ends_where_one_that_was_not_ends(train, tmp_path):
    whole = train(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", stop_at=5)
    assert (tmp_path / "stopped" / "resume.pt").exists()
    resumed = train(tmp_path / "stopped")
    for name, tensor in resumed.model.state_dict().items():
        torch.testing.assert_close(tensor, whole.model.state_dict()[name], msg=name)
    log = [json.loads(line) for line in (tmp_path / "stopped" / "training.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == [1, 2, 3, 4, 5, 5, 6]  # the fifth was not saved yet
    left = sorted(path.name for path in (tmp_path / "stopped").iterdir())
    assert left == ["config.json", "model.safetensors", "training.jsonl"]


def test_training_stops_when_its_minutes_are_over(train, tmp_path, monkeypatch):
    clock = iter(range(0, 10**6, 10))  # every look at the clock is ten seconds later
    monkeypatch.setattr(training_loop.time, "monotonic", lambda: float(next(clock)))
    train(tmp_path, LanguageTraining(epochs=1000, minutes=1, batch_size=5))
    assert len((tmp_path / "training.jsonl").read_text().splitlines()) == 6


def test_a_training_of_another_model_is_not_gone_on_with(train, tmp_path, grid):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, stop_at=3)
    other = RouteGenerator.new(grid, torch.randn(len(grid), 7), SIZES)
    with pytest.raises(InputError, match="a model of another kind was stopped here"):
        train(tmp_path, made=other)


def test_turns_that_may_not_be_and_ends_that_do_not_fit_are_not_learned_from(new_writer, grid):
    # road 1 leads back along road 0 in mid-street; the third route is twice as long as its distance allows
    facts = facts_for(grid, [0, 0, 0], [150.0, 250.0, 50.0])
    routes = [np.array([0, 1]), np.array([0, 2, 4]), np.array([0, 2, 4, 6])]
    data = RouteDataset(facts, routes, new_writer().model.network)
    driven = data.collate(np.arange(3), np.ones(3, dtype=bool))
    assert driven.counts.tolist() == [
        [False, True, False, False],
        [True, True, True, False],
        [True, False, False, True],
    ]
    first, turns = data.uses()
    assert first.tolist() == [3.0] + [0.0] * 79
    assert turns.sum() == 5 + 3  # into 2 (twice), 4 (twice) and 6, none into 1; and three ends
    assert not driven.drive.told.any()


def test_a_saved_writer_writes_the_same_routes_when_it_is_loaded(route_generator, grid, road_features, tmp_path):
    route_generator.save(tmp_path)
    loaded = RouteGenerator.load(tmp_path, grid, road_features)
    loaded.save(tmp_path / "again")
    again = RouteGenerator.load(tmp_path / "again", grid, road_features)
    facts = facts_for(grid, [5, ANY_ROAD], [1500.0] * 2, [middle(grid)] * 2)
    assert as_lists(again.generate(facts, keys_of(2))) == as_lists(loaded.generate(facts, keys_of(2)))
    for name, tensor in route_generator.model.state_dict().items():
        torch.testing.assert_close(loaded.model.state_dict()[name], tensor, atol=1e-3, rtol=1e-3, msg=name)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_a_missing_or_damaged_file_is_a_sentence(new_writer, grid, road_features, tmp_path, name, damage):
    new_writer().save(tmp_path)
    if damage == "missing":
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:40])
    with pytest.raises(InputError, match="the model that writes routes is missing, damaged, or of another city"):
        RouteGenerator.load(tmp_path, grid, road_features)


def test_a_writer_of_another_city_is_refused(new_writer, triangle, tmp_path):
    new_writer().save(tmp_path)
    with pytest.raises(InputError, match="of another city; train it with `htp train routes`"):
        RouteGenerator.load(tmp_path, triangle, torch.zeros(3, 5))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"start_road": [80]}, r"trip 0: the start road is 80; Grid has roads 0 to 79"),
        ({"start_road": [-2]}, r"trip 0: the start road is -2"),
        ({"distance_m": [0.0]}, r"trip 0: a distance of 0 m; give one of more than 0"),
        ({"distance_m": [2e5]}, r"trip 0: a distance of 200000 m; .* at most 100 km"),
        ({"distance_m": [np.nan]}, r"trip 0: a distance of nan m"),
        ({"duration_s": [-5.0]}, r"trip 0: a travel time of -5 s; give one of more than 0 s"),
        ({"destination_m": [[0.0, 0.0]]}, r"trip 0: the destination is outside Grid; give a place within it"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_conditions_that_no_route_can_have_are_sentences(route_generator, grid, changes, sentence):
    arrays = {name: np.array(value) for name, value in changes.items()}
    with pytest.raises(InputError, match=sentence):
        route_generator.generate(replace(facts_for(grid, [0], [500.0]), **arrays), keys_of(1))


def test_the_conditions_of_trips_are_theirs_without_their_routes(facts, grid):
    told = route_conditions_of(facts, np.tile(middle(grid), (5, 1)))
    assert told.start_road.tolist() == [roads[0] for roads in facts.roads]
    assert told.duration_s.tolist() == [19 * 15, 23 * 15, 32 * 15, 39 * 15, 56 * 15]
    assert np.isnan(route_conditions_of(facts).destination_m).all()


def test_conditions_keep_all_but_their_route(route_generator, grid):
    asked = [
        Conditions(Route(np.array([0, 2, 4])), "2024-05-14 08:15", 400.0, 260.0, 30.0),
        Conditions(Route(np.array([40])), "2024-05-14 23:00", 300.0, 80.0),
    ]
    for told in ("nothing", "start", "destination"):
        written = route_generator.regenerate(asked, keys_of(2), told=told)
        assert [replace(w, route=None) for w in written] == [replace(a, route=None) for a in asked]
        assert told == "nothing" or [w.route.roads[0] for w in written] == [0, 40]
    told = route_conditions_from(asked, grid, "destination")
    corner = grid.xy_m.min(axis=0)
    assert np.allclose(told.destination_m, np.add(corner, [[250.0, 0.0], [0.0, 50.0]]), atol=0.1)
    assert route_conditions_from(asked, grid, "nothing").start_road.tolist() == [ANY_ROAD] * 2
    assert np.isnan(route_conditions_from(asked, grid, "start").destination_m).all()


@pytest.mark.parametrize(
    ("condition", "told", "sentence"),
    [
        ({"duration_s": None}, "start", "trip 0: a route is written for a travel time and a distance; give both"),
        ({"distance_m": None}, "start", "trip 0: a route is written for a travel time and a distance; give both"),
        ({}, "end", "'end' of a route cannot be told; choose nothing, start, destination"),
    ],
    ids=["no travel time", "no distance", "nothing that can be told"],
)
def test_conditions_that_are_not_complete_are_sentences(route_generator, condition, told, sentence):
    asked = Conditions(Route(np.array([0])), "2024-05-14 08:15", 400.0, 60.0)
    with pytest.raises(InputError, match=sentence):
        route_generator.regenerate([replace(asked, **condition)], keys_of(1), told=told)


def test_numbers_of_conditions_are_as_computed_by_hand(grid):
    at_six = replace(
        facts_for(grid, [0], [5000.0]), depart=pd.DatetimeIndex(["2024-05-18 06:00"], tz=grid.timezone)
    )  # a Saturday, at 5 m/s
    numbers = condition_features(at_six)[0]
    week = 2 * np.pi * 5.25 / 7
    expected = [1, 0, 0, -1, np.sin(week), np.cos(week), 1, 1, np.log(6) / 2, 1000 / 60 / 15, np.log1p(1000 / 60) / 3]
    assert numbers.tolist() == pytest.approx([*expected, 0.3], abs=1e-6)
