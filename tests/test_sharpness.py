"""Check that drawing is sharpened as far as it brings steps closer to real ones, and no further."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from htp.checkpoint import Checkpoint
from htp.compute.random_streams import keys_of
from htp.conditions import prompt_conditions_of
from htp.generate import Generator
from htp.sharpness import MOST, STEP, fit_sharpness, steps_m
from htp.train import train_sharpness
from htp.trip_source import Sampling
from htp.trips import read_trips


def codes_of(answers):
    return np.concatenate([answer.codes.ravel() for answer in answers])


@pytest.fixture
def generator(tiny_checkpoint):
    return Generator.load(tiny_checkpoint)


def test_steps_are_metres_within_trips_and_never_between_them():
    percent, counts = np.array([0.0, 0.25, 1.0, 0.5, 0.6]), np.array([3, 2])
    np.testing.assert_allclose(steps_m(percent, counts, np.array([100.0, 50.0])), [25.0, 75.0, 5.0])


def test_drawing_very_sharply_is_taking_the_likeliest(generator, tiny_data):
    facts = prompt_conditions_of(read_trips(tiny_data / "heldout.parquet"), generator.city)
    keys = keys_of(3, 0, len(facts.roads))
    generate = generator.language.generate
    drawn = generate(facts, generator.city, keys, Sampling())
    likeliest = generate(facts, generator.city, keys, Sampling(temperature=0.0))
    generator.language.model.sharpness = (1e6,) * 5
    sharp = generate(facts, generator.city, keys, Sampling())
    assert (codes_of(drawn) != codes_of(likeliest)).any()
    np.testing.assert_array_equal(codes_of(sharp), codes_of(likeliest))


def test_the_factors_chosen_are_the_best_of_those_tried(generator, tiny_data):
    lines = []
    trips = read_trips(tiny_data / "train.parquet").iloc[:40]
    fit_sharpness(generator.language, generator.tokenizer, trips, report=lines.append)
    best = min(lines, key=lambda line: line["steps"])
    anchor, first, fine = best["sharpness"]
    assert generator.language.model.sharpness == (anchor, first, fine, fine, fine)
    assert lines[0]["sharpness"] == (1.0, 1.0, 1.0)
    assert {line["sharpness"] for line in lines[1:2]} == {(STEP, 1.0, 1.0)}
    assert len(lines) > len(best["sharpness"])  # each was tried further than it was taken
    assert max(best["sharpness"]) <= MOST


def test_the_factors_stay_with_the_checkpoint_and_change_its_trips(tiny_checkpoint, tiny_data, tmp_path):
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "sharp")
    train_sharpness(tiny_data, folder, report=lambda _: None)
    Checkpoint(folder).verify()
    found = Generator.load(folder).language.model.sharpness
    assert json.loads((folder / "language" / "language.json").read_text())["sharpness"] == list(found)
    before = Generator.load(tiny_checkpoint).language.model
    assert before.sharpness == (1.0,) * 5
    after = Generator.load(folder).language.model
    assert all((before.state_dict()[name] == tensor).all() for name, tensor in after.state_dict().items())
