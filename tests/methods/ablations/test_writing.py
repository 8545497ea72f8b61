"""Check that answers are written as they are learned, and obey their grammar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from htp.conditions import prompt_conditions_of
from htp.config import LanguageTraining
from htp.generate import answers_of
from htp.methods.ablations.text_model import read_written
from htp.methods.budget import Budget, Stages
from htp.methods.registry import METHODS
from htp.trip_source import Sampling

QUICK = LanguageTraining(batch_size=8, learning_rate=1e-2)
LIKELIEST = Sampling(temperature=0.0)
WITH_ANCHORS = ["w/o LLM", "free length", "no depth head", "w/o OOV"]


@pytest.fixture(scope="module")
def write(tiny, trips, grid):
    """Return what gives the language, the questions and the answers of a variant."""

    def writes(name, sampling=LIKELIEST):
        language, facts = tiny(name).language, prompt_conditions_of(trips, grid)
        keys = np.column_stack([np.zeros(len(trips)), np.arange(len(trips))]).astype(np.uint64)
        return language, language.ask(facts, grid), language.generate(facts, grid, keys, sampling)

    return writes


@pytest.mark.parametrize("name", ["w/o LLM", "free length", "no depth head"])
@torch.no_grad()
def test_the_likeliest_patterns_are_those_the_loss_finds_likeliest(name, write):
    language, questions, answers = write(name)
    asked, model = language.collate(questions, answers), language.model
    answer, keys = model.read(asked, asked.codes.shape[1])
    before = torch.nn.functional.pad(asked.anchors[:, :-1], (1, 0))
    number = torch.arange(answer.shape[1]).expand(len(answer), -1)
    anchors = model.anchor_logits(answer[:, :, 0], keys, asked, before, number).argmax(-1)
    agree = [anchors == asked.anchors]
    agree += [model.code_logits(answer[:, :, at + 1], at).argmax(-1) == asked.codes[..., at] for at in range(4)]
    written = torch.tensor([len(a.anchors) for a in answers])
    real = number < written[:, None]
    assert float(torch.stack(agree)[:, real].float().mean()) > 0.99  # rounding may decide between equals


@torch.no_grad()
def test_the_likeliest_codes_are_those_the_loss_finds_likeliest(write):
    language, questions, answers = write("no anchors")
    h, ids, real = read_written(language.model, language.collate(questions, answers))
    for layer in range(4):
        codes = ids[:, layer::4] - language.model.text_size - language.model.vocabulary.first_code(layer)
        said = language.model.code_logits(h[:, layer::4], layer).argmax(-1)
        assert float((said == codes)[real[:, layer::4]].float().mean()) > 0.99


@pytest.mark.parametrize("name", WITH_ANCHORS)
def test_anchors_run_forward_and_codes_are_of_their_layer(name, write, trips):
    _, _, answers = write(name, Sampling())
    for answer, roads, percent in zip(answers, trips["roads"], trips["percent"], strict=True):
        assert (np.diff(answer.anchors) >= 0).all()
        assert answer.anchors[0] >= 0
        assert answer.anchors[-1] < len(roads)
        assert (answer.codes < [4, 6, 8, 10]).all()
        assert (answer.codes >= 0).all()
        if name != "free length":
            assert len(answer.anchors) == -(-len(percent) // 8)
            assert answer.anchors[-1] == len(roads) - 1


@pytest.mark.parametrize("name", ["w/o OOV", "w/o LLM", "no anchors", "free length", "no depth head"])
def test_training_lowers_the_loss(name, tiny, trips, grid, tmp_path):
    variant, lines, facts = tiny(name), [], prompt_conditions_of(trips, grid)
    answers = answers_of(variant.tokenizer.encode(trips))
    for epochs in (1, 6):
        stages = Stages(Budget(epochs=epochs), 0, lines.append)
        language = variant._new_language(facts)
        new = type(variant)(replace(variant.config, language_training=QUICK))
        new.city = grid
        new._train_language(language, facts, answers, stages, tmp_path / str(epochs))
    short, long = (line["train_loss"] for line in lines if "train_loss" in line)
    assert long < 0.97 * short


def test_training_lowers_the_loss_of_points_as_text(tiny, trips, grid):
    config = replace(tiny("w/o RQ-VAE").config, language_training=QUICK)
    lines = []
    for epochs in (1, 6):
        METHODS["w/o RQ-VAE"].made_by(config).fit(trips, grid, Budget(epochs=epochs), report=lines.append)
    short, long = (line["train_loss"] for line in lines if "train_loss" in line)
    assert long < 0.97 * short
