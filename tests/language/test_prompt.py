"""Check the question: its words by hand, its tokens, and that no street name can spell one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from htp.config import LanguageConfig
from htp.language.backbone import built_in_tokenizer, encode_texts
from htp.language.language import Language
from htp.language.prompt import MAX_NAME, PLACE, PromptConditions, main_roads, place_features, question_texts

NASTY = ("<road_1>", "<|p_begin|>", "<|im_end|>", "<t_7>", "<|endoftext|>", "Calle <a_3><b_0>")


def facts_along(roads, depart="2024-05-07 08:15", points=50, distance_m=6020.0, interval_s=15.0):
    return PromptConditions(
        [np.array(roads, dtype=np.int32)],
        pd.DatetimeIndex([depart], tz="America/Santiago"),
        np.array([points]),
        np.array([distance_m]),
        np.array([interval_s]),
        np.array([5], dtype=np.int8),
    )


def test_the_words_of_a_question_are_these(grid):
    assert question_texts(facts_along([0, 2, 50]), grid) == [
        "Main roads: Calle 0, Avenida 1. Tuesday 08:15, 12 min 15 s, 6.02 km, every 15 s, 50 points."
    ]


def test_the_main_roads_are_those_with_the_greatest_length_on_the_route_not_the_first():
    names = np.array(["Short", "Long", None, "Middle", "Long"], dtype=object)
    roads, length_m = np.arange(5), np.array([10.0, 50.0, 900.0, 80.0, 60.0])
    assert main_roads(roads, length_m, names) == ["Long", "Middle"]


def test_a_route_over_nameless_roads_says_none(triangle):
    assert question_texts(facts_along([2]), triangle)[0].startswith("Main roads: none. Tuesday")


def test_a_very_long_name_is_cut():
    names = np.array(["x" * 500], dtype=object)
    assert main_roads(np.array([0]), np.array([1.0]), names) == ["x" * MAX_NAME]


def test_a_question_is_roads_between_marks_then_words_then_length_and_the_begin_of_the_answer(language, grid, facts):
    model, question = language.model, language.ask(facts, grid)[2]
    new = [model.vocabulary.name(token - model.text_size) for token in question.ids if token >= model.text_size]
    roads = [f"<road_{road}>" for road in facts.roads[2]]
    assert new == ["<|t_begin|>", *roads, "<|t_end|>", "<t_2>", "<|p_begin|>"]
    words = [token for token in question.ids if token < model.text_size]
    assert language.tokenizer.decode(words) == question_texts(facts, grid)[2]
    assert question.points == facts.points[2]


def test_the_roads_of_a_question_know_where_they_lie(questions, facts, grid):
    length_m = grid.length_m[facts.roads[0]]
    np.testing.assert_allclose(questions[0].road_end_m, np.cumsum(length_m), rtol=1e-5)
    np.testing.assert_allclose(questions[0].road_end_m - questions[0].road_start_m, length_m, atol=1e-2)


def test_places_are_told_in_units_of_5_km_and_of_the_route():
    features = place_features(np.array([0.0, 500.0], np.float32), np.array([500.0, 2000.0], np.float32), 2000.0)
    assert features.shape == (2, PLACE)
    np.testing.assert_allclose(features[:, :4], [[0, 0.1, 0, 0.25], [0.1, 0.4, 0.25, 1.0]], atol=1e-6)


@pytest.mark.parametrize("name", NASTY)
def test_a_street_name_that_spells_a_token_stays_words_in_the_built_in_model(grid, vocabulary, name):
    spoiled = replace(grid, roads=grid.roads.assign(name=name))
    facts = facts_along([0, 2, 4])
    language = Language.new(
        LanguageConfig(hidden=16, layers=1, heads=1, kv_heads=1, intermediate=16, text_vocabulary=300),
        vocabulary,
        None,
        facts,
        spoiled,
    )
    question = language.ask(facts, spoiled)[0]
    new = question.ids[question.ids >= language.model.text_size] - language.model.text_size
    tokens = [vocabulary.name(token) for token in new]
    assert tokens == ["<|t_begin|>", "<road_0>", "<road_2>", "<road_4>", "<|t_end|>", "<t_5>", "<|p_begin|>"]
    assert name in language.tokenizer.decode(question.ids[question.ids < language.model.text_size])


@pytest.mark.parametrize("name", NASTY)
def test_a_street_name_that_spells_a_token_of_a_base_model_stays_words(name):
    text = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(pre_tokenizers.ByteLevel.alphabet())}, merges=[]))
    text.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<|im_end|>", "<|endoftext|>", "<|p_begin|>"]
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=text, additional_special_tokens=special)
    ids = encode_texts(tokenizer, [f"Main roads: {name}."])[0]
    assert max(ids) < 256  # bytes, none of the special tokens behind them
    assert len(ids) == len(f"Main roads: {name}.")


def test_any_text_can_be_written_and_read_back():
    tokenizer = built_in_tokenizer(["Main roads: Calle Uno. Monday"], 300)
    for text in ("Avenida Ñuñoa, 東京 🚗", "", "00 07 2024"):
        assert tokenizer.decode(encode_texts(tokenizer, [text])[0]) == text
