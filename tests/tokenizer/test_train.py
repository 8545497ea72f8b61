"""Check the training of stage 1: it learns, keeps a log, stops on time, and goes on after a stop as if without."""

from __future__ import annotations

import json

import pytest
import torch

from htp.compute import training_loop
from htp.config import TokenizerTraining
from htp.tokenizer import offsets_train
from htp.tokenizer.features import describe
from htp.tokenizer.tokenizer import Tokenizer
from htp.tokenizer.train import TokenizerTrainer

SETTINGS = TokenizerTraining(epochs=2, batch_size=12)


@pytest.fixture(scope="module")
def samples(grid, random_trips):
    return describe(random_trips(grid, [20, 30, 25, 24] * 6, seed=1), grid), describe(
        random_trips(grid, [24] * 4), grid
    )


@pytest.fixture(autouse=True)
def a_state_after_every_step_and_few_steps_for_offsets(monkeypatch):
    monkeypatch.setattr(training_loop, "SAVE_EVERY_S", -1.0)
    monkeypatch.setattr(offsets_train, "EPOCHS", 0)
    monkeypatch.setattr(offsets_train, "MIN_STEPS", 7)


@pytest.fixture
def train(samples, grid, tiny_config):
    """Return a function that trains a new tokenizer in a folder, stopped by Ctrl-C when an epoch is reported."""

    def run(folder, settings=SETTINGS, stop_at=None):
        def report(line):
            if stop_at is not None and line.get("epoch") == stop_at:
                raise KeyboardInterrupt

        tokenizer = Tokenizer.new(tiny_config(), grid, seed=0)
        TokenizerTrainer(tokenizer, settings, folder).fit(*samples, report)
        return tokenizer

    return run


def log_of(folder):
    return [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]


def test_the_loss_falls_and_every_epoch_is_logged(train, tmp_path):
    train(tmp_path, TokenizerTraining(epochs=6, batch_size=12, learning_rate=3e-3))
    log = [line for line in log_of(tmp_path) if "epoch" in line]
    assert [line["epoch"] for line in log] == [1, 2, 3, 4, 5, 6]
    assert log[-1]["steps"] < log[0]["steps"]
    assert len(log[0]["codes_in_use"]) == 3
    assert log[0]["error_m"].keys() == {"0.5", "0.9"}


def test_a_training_that_was_stopped_ends_where_one_that_was_not_ends(train, tmp_path):
    whole, again = train(tmp_path / "whole"), train(tmp_path / "again")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", stop_at=2)
    assert (tmp_path / "stopped" / "resume.pt").exists()
    resumed = train(tmp_path / "stopped")
    for name, tensor in resumed.model.state_dict().items():
        torch.testing.assert_close(tensor, whole.model.state_dict()[name], msg=name)
        torch.testing.assert_close(tensor, again.model.state_dict()[name], msg=name)
    assert [line["epoch"] for line in log_of(tmp_path / "stopped") if "epoch" in line] == [1, 2, 2]
    left = sorted(path.name for path in (tmp_path / "stopped").iterdir())
    assert left == ["config.json", "model.safetensors", "training.jsonl"]


def test_offsets_are_learned_after_the_codes_and_reported(samples, grid, tiny_config, tmp_path):
    lines = []
    tokenizer = Tokenizer.new(tiny_config(), grid, seed=0)
    before = {name: tensor.clone() for name, tensor in tokenizer.model.noise.state_dict().items()}
    TokenizerTrainer(tokenizer, SETTINGS, tmp_path).fit(*samples, lines.append)
    assert lines[-1].keys() == {"offset", "offset_steps"}
    assert lines[-1]["offset_steps"] == 7
    after = tokenizer.model.noise.state_dict()
    assert all((after[name] != tensor).any() for name, tensor in before.items())


def test_training_stops_when_its_minutes_are_over(train, tmp_path, monkeypatch):
    clock = iter(range(0, 10**6, 10))  # every look at the clock is ten seconds later
    monkeypatch.setattr(training_loop.time, "monotonic", lambda: float(next(clock)))
    train(tmp_path, TokenizerTraining(epochs=100, minutes=2, batch_size=8))
    log = [line for line in log_of(tmp_path) if "epoch" in line]
    assert 1 <= len(log) < 10
    assert log[-1]["minutes"] >= 2
