"""Check how a budget is shared and what a stage counts."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from htp.config import LanguageTraining, TokenizerTraining
from htp.errors import InputError
from htp.methods import budget as budget_module
from htp.methods.budget import ENDLESS, LEAST_MINUTES, Budget, Stages


@pytest.fixture
def clock(monkeypatch):
    """Return a clock in a list, which the test winds."""
    now = [100.0]
    monkeypatch.setattr(budget_module.time, "monotonic", lambda: now[0])
    return now


def test_a_stage_ends_at_its_share_of_the_seconds_whatever_came_before(clock):
    stages = Stages(Budget(seconds=600), 7, print)
    clock[0] += 20
    first = stages.settings(TokenizerTraining(epochs=3, batch_size=5), 1 / 3)
    assert (first.epochs, first.batch_size, first.seed) == (ENDLESS, 5, 7)
    assert first.minutes == pytest.approx(180 / 60)
    clock[0] += 230
    assert stages.settings(LanguageTraining()).minutes == pytest.approx(350 / 60)
    clock[0] += 400
    assert stages.settings(LanguageTraining()).minutes == pytest.approx(LEAST_MINUTES)
    assert stages.spent == pytest.approx(650 / 600)


def test_what_an_earlier_training_did_is_charged_as_if_done_again(clock):
    stages = Stages(Budget(seconds=600), 0, print)
    clock[0] += 5
    stages.charge("node2vec", 85.0, shared=True)
    clock[0] += 10
    assert stages.left_s(0.5) == pytest.approx(300 - 5 - 85 - 10)
    assert stages.done == [{"stage": "node2vec", "seconds": 85.0, "shared": True}]
    again = Stages(Budget(seconds=600), 0, print)
    clock[0] += 85
    again.charge("node2vec", 85.0, shared=False)  # the clock has run already
    assert again.left_s(0.5) == pytest.approx(300 - 85)
    assert Stages(Budget(epochs=2), 0, print).left_s() is None


def test_without_a_budget_the_configuration_says_how_long():
    settings = TokenizerTraining(epochs=3, minutes=4.0)
    assert Stages(Budget(), 0, print).settings(settings) == settings


def test_epochs_and_batches_of_the_budget_go_before_those_of_the_configuration():
    settings = Stages(Budget(epochs=2, batch_size=9), 0, print).settings(LanguageTraining(epochs=5))
    assert (settings.epochs, settings.batch_size, settings.minutes) == (2, 9, None)


def test_a_stage_counts_steps_epochs_and_seconds(clock):
    lines, module = [], nn.Linear(1, 1)
    stages = Stages(Budget(), 0, lines.append)
    clock[0] += 5
    with stages.run("tokenizer", module, trips=10, batch_size=4) as report:
        for _ in range(6):  # 3 batches an epoch
            module(torch.zeros(1))
        module.eval()(torch.zeros(1))  # no step of training
        clock[0] += 3
        report({"loss": 1.5})
    module(torch.zeros(1))  # no step of the stage
    assert lines == [{"stage": "tokenizer", "loss": 1.5}]
    assert stages.done == [
        {
            "stage": "tokenizer",
            "epochs": 2.0,
            "steps": 6,
            "seconds": 3.0,
            "batch_size": 4,
            "ms_per_step": 500.0,
            "preparation_seconds": 5.0,
        }
    ]


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"epochs": -1}, {"batch_size": 0}], ids=str)
def test_a_budget_of_nothing_is_refused(wrong):
    with pytest.raises(InputError, match="above 0"):
        Budget(**wrong)
