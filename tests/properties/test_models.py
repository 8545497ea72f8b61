"""Ask both models anything that may be asked: what comes back always has the points, the ends and the grammar."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htp.compute.random_streams import keys_of
from htp.conditions import prompt_conditions_of
from htp.generate import Generator
from htp.tokenizer.tokenizer import DecoderConditions, decoder_conditions_of
from htp.trip_source import Sampling

seeds = st.integers(0, 2**61 - 1)


@pytest.fixture(scope="module")
def generator(tiny_checkpoint):
    return Generator.load(tiny_checkpoint, "cpu")


@given(points=st.lists(st.integers(8, 200), min_size=1, max_size=4), seed=st.integers(0, 1000))
def test_the_tokenizer_keeps_the_number_of_points_and_both_ends(generator, random_trips, points, seed):
    city, tokenizer = generator.city, generator.tokenizer
    trips = random_trips(city, points, seed)
    patterns = tokenizer.encode(trips)
    assert np.diff(patterns.first).tolist() == [-(-n // 8) for n in points]
    told = decoder_conditions_of(trips, city, seed)
    length_m = np.array([city.length_m[roads].sum() for roads in trips["roads"]])
    first_m = np.array([percent[0] for percent in trips["percent"]]) * length_m
    drives = DecoderConditions(told.roads, told.distance_m, told.interval_s, first_m.astype(np.float32), told.keys)
    made = tokenizer.decode(patterns, drives)
    assert made.counts.tolist() == points
    for row, percent in enumerate(np.split(made.percent, np.cumsum(made.counts)[:-1])):
        along_m = percent.astype(np.float64) * length_m[row]
        assert (np.diff(along_m) >= -0.01).all()
        assert along_m[0] == pytest.approx(first_m[row], abs=0.5)
        assert along_m[-1] == pytest.approx(first_m[row] + told.distance_m[row], abs=0.5)


@given(
    points=st.lists(st.integers(8, 200), min_size=1, max_size=4),
    seed=seeds,
    temperature=st.floats(0, 5),
    top_p=st.floats(0, 1, exclude_min=True),
)
def test_any_sampled_answer_follows_the_grammar(generator, random_trips, points, seed, temperature, top_p):
    trips = random_trips(generator.city, points, seed % 1000)
    facts, sampling = prompt_conditions_of(trips, generator.city), Sampling(temperature, top_p)
    answers = generator.language.generate(facts, generator.city, keys_of(seed, 0, len(points)), sampling)
    for answer, n, roads in zip(answers, points, facts.roads, strict=True):
        assert answer.codes.shape == (-(-n // 8), 4)
        assert len(answer.anchors) == len(answer.codes)
        assert (np.diff(answer.anchors) >= 0).all()
        assert answer.anchors[0] >= 0
        assert answer.anchors[-1] == len(roads) - 1
        assert (answer.codes >= 0).all()
        assert (answer.codes < generator.language.model.vocabulary.codebook_sizes).all()
