"""Ask for what cannot be: places that are none, billions of trips, streets named like the model's own marks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from htp.conditions import prompt_conditions_of
from htp.errors import InputError
from htp.generate import Generator
from htp.language.backbone import built_in_tokenizer, encode_texts
from htp.language.prompt import MAX_NAME, question_texts
from htp.language.vocabulary import MARKS
from htp.trips import Conditions, Route, read_trips

NAN, INF = float("nan"), float("inf")
SPECIAL = [*MARKS, "<road_3>", "<a_1>", "<t_7>", "<|im_end|>", "<|endoftext|>", "</s>", "[PAD]"]


@pytest.fixture(scope="module")
def generator(tiny_checkpoint):
    return Generator.load(tiny_checkpoint, "cpu")


@pytest.fixture(scope="module")
def asked(generator, place):
    route = generator.city.route([place(30, 0), place(400, 380)])
    return Conditions(route, "2024-05-06 08:15", 420.0)


@pytest.mark.parametrize("where", [(NAN, NAN), (INF, 0.0), (-71.25, NAN), (1e308, 1e308), (-29.9, -71.25), (0.0, 0.0)])
def test_a_place_that_is_none_or_elsewhere_is_a_sentence(generator, place, where):
    with pytest.raises(InputError):
        generator.city.route([place(30, 0), where])


@pytest.mark.parametrize(
    "change",
    [
        {"duration_s": NAN},
        {"duration_s": INF},
        {"duration_s": -1.0},
        {"duration_s": 1e300},
        {"distance_m": NAN},
        {"distance_m": -INF},
        {"interval_s": NAN},
        {"interval_s": 1e-300},
        {"route": Route(np.array([0]), start_m=NAN)},
        {"route": Route(np.array([0]), end_m=INF)},
        {"route": Route(np.array([-1]))},
        {"route": Route(np.array([2**31 - 1]))},
        {"route": Route(np.array([], dtype=np.int32))},
        {"depart": "9999-12-31 23:59"},
    ],
    ids=str,
)
def test_conditions_that_cannot_be_are_a_sentence(generator, asked, change):
    with pytest.raises(InputError):
        generator.generate(replace(asked, **change))


@pytest.mark.parametrize("n", [10**9, 10**18])
def test_a_billion_trips_are_refused_before_any_is_made(generator, asked, n):
    with pytest.raises(InputError, match="one request takes at most 1,000,000"):
        generator.generate(asked, n=n)


@pytest.mark.parametrize("name", SPECIAL)
def test_a_street_named_like_a_mark_is_plain_text(generator, name):
    language, size = generator.language, generator.language.model.text_size
    (ids,) = encode_texts(language.tokenizer, [f"Main roads: {name}."])
    assert max(ids) < size
    assert language.tokenizer.decode(ids) == f"Main roads: {name}."


@pytest.mark.parametrize("name", SPECIAL)
def test_a_base_models_own_marks_are_plain_text_in_a_street(name):
    tokenizer = built_in_tokenizer(["Main roads: Calle Uno."], 300)
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL})
    special = set(tokenizer.convert_tokens_to_ids(SPECIAL))
    (ids,) = encode_texts(tokenizer, [f"Main roads: {name}."])
    assert not special & set(ids)


def test_a_street_with_a_name_of_a_novel_is_cut(generator, tiny_data):
    trips = read_trips(tiny_data / "heldout.parquet").iloc[:1]
    roads = generator.city.roads.assign(name="x" * 100_000)
    city = replace(generator.city, roads=roads)
    (text,) = question_texts(prompt_conditions_of(trips, city), city)
    assert "x" * MAX_NAME in text
    assert "x" * (MAX_NAME + 1) not in text
