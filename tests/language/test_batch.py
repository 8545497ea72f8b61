"""Check both paddings: questions with answers on the right, to train; questions on the left, to write."""

from __future__ import annotations

import numpy as np
import pytest

from htp.language.batch import collate, collate_questions
from htp.language.prompt import place_features


@pytest.fixture(scope="module")
def asked(questions, answers, language):
    return collate(questions, answers, language.model.vocabulary, language.model.text_size)


def test_an_answer_is_written_pattern_by_pattern_anchor_first_then_layer_1_first(asked, facts, answers, language):
    model = language.model
    row, answer = 1, answers[1]
    ids = asked.ids[row][asked.mask[row]][asked.answer_at[row] :]
    names = [model.vocabulary.name(token - model.text_size) for token in ids.tolist()]
    expected = [
        name
        for anchor, (a, b, c) in zip(answer.anchors, answer.codes, strict=True)
        for name in (f"<road_{facts.roads[row][anchor]}>", f"<a_{a}>", f"<b_{b}>", f"<c_{c}>")
    ]
    assert names == expected


def test_what_is_trained_on_starts_at_the_left_and_what_is_written_from_ends_at_the_right(asked, questions):
    written = collate_questions(questions, 3)
    for row, question in enumerate(questions):
        n = len(question.ids)
        assert asked.ids[row, :n].tolist() == question.ids.tolist()
        assert written.ids[row, -n:].tolist() == question.ids.tolist()
        assert not written.mask[row, :-n].any()
        assert written.mask[row, -n:].all()
        assert written.answer_at[row] == written.ids.shape[1]
        assert asked.answer_at[row] == n


def test_the_first_road_is_found_in_both(asked, questions, facts, language):
    first = language.model.text_size + language.model.vocabulary.first_road
    for batch in (asked, collate_questions(questions, 3)):
        for row, roads in enumerate(facts.roads):
            at = batch.first_road_at[row]
            assert (batch.ids[row, at : at + len(roads)] - first).tolist() == roads.tolist()


def test_roads_carry_their_place_wherever_they_stand_and_other_tokens_none(asked, questions, answers):
    row, question, answer = 3, questions[3], answers[3]
    total_m = float(question.road_end_m[-1])
    where = place_features(question.road_start_m, question.road_end_m, total_m)
    place = asked.place[row].numpy()
    np.testing.assert_array_equal(place[1 : 1 + len(where)], where)
    at = int(asked.answer_at[row])
    np.testing.assert_array_equal(place[at : at + 4 * len(answer.anchors) : 4], where[answer.anchors])
    carries = place.any(axis=1)
    assert carries.sum() == len(where) + len(answer.anchors)


def test_padding_is_masked_and_the_counts_are_the_trips_own(asked, facts):
    assert asked.patterns.tolist() == [3, 3, 5, 5, 8]
    assert asked.road_mask.sum(dim=1).tolist() == [len(roads) for roads in facts.roads]
    np.testing.assert_allclose(asked.distance_m, facts.distance_m, rtol=1e-6)
    assert (asked.ids[~asked.mask] == 0).all()


def test_large_codes_behind_a_large_vocabulary_do_not_overflow(questions, answers, vocabulary):
    shifted = [
        type(q)(q.ids + 40_000, *[getattr(q, n) for n in ("road_start_m", "road_end_m", "distance_m", "points")])
        for q in questions
    ]
    asked = collate(shifted, answers, vocabulary, 100_000)
    answer = asked.ids[0, asked.answer_at[0] + 1 : asked.mask[0].sum()]
    assert (answer > 40_000).all()
