"""Check that a trip ends where the model says so."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
import torch

from htp.conditions import prompt_conditions_of
from htp.language.batch import Answer
from htp.methods.ablations.free_length import FEWEST, MOST
from htp.tokenizer.lengths import restore_length


@pytest.fixture
def says(tiny, monkeypatch):
    """Return what lets the model say the same logit of the end after each pattern."""
    variant = tiny("free length")

    def always(logit):
        monkeypatch.setattr(variant.language.model, "end_logits", lambda h: torch.full(h.shape[:-1], logit))
        return variant

    return always


def test_a_model_that_always_ends_writes_the_fewest_patterns(says, trips):
    made = says(50.0).generate(trips)
    points = shapely.get_num_coordinates(made.geometry)
    patterns = [len(anchors) for anchors in made["anchors"]]
    assert patterns == [FEWEST] * len(trips)
    # 20 → 10 → 5 → 3 is the record (0, 0, 1), so 2 → 3 → 6 → 12
    assert points[0] == 12
    assert list(made["length_token"]) == list(facts_tokens(trips))


def facts_tokens(trips):
    tokens = []
    for percent in trips["percent"]:
        n, token = len(percent), 0
        for _ in range(3):
            token, n = token * 2 + n % 2, (n + 1) // 2
        tokens.append(token)
    return tokens


def test_a_model_that_never_ends_is_cut_at_twice_the_patterns_asked_for(says, trips):
    made = says(-50.0).generate(trips)
    for anchors, percent in zip(made["anchors"], trips["percent"], strict=True):
        assert len(anchors) == MOST * -(-len(percent) // 8)


def test_points_follow_from_patterns_and_length_token(tiny, trips):
    made = tiny("free length").generate(trips, seed=2)
    for line, anchors, token in zip(made.geometry, made["anchors"], facts_tokens(trips), strict=True):
        assert len(line.coords) == restore_length(len(anchors), token)


def test_the_loss_counts_the_end_as_one_token_a_pattern(says, trips, grid):
    language = says(0.0).language  # an even chance after each pattern: log 2
    question = language.ask(prompt_conditions_of(trips, grid), grid)[0]
    answer = Answer(np.array([0, 0, len(question.road_end_m) - 1], np.int32), np.zeros((3, 4), np.int16))
    asked = language.collate([question], [answer])
    with torch.no_grad():
        written = super(type(language.model), language.model).loss(asked)
        loss = language.model.loss(asked)
    assert float(loss) == pytest.approx((float(written) * 5 + math.log(2)) / 6, rel=1e-5)
