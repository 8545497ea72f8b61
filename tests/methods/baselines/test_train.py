"""Check that training keeps to its budget, sees every trip and says how it goes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from htp.compute import training_loop
from htp.methods import budget
from htp.methods.baselines.train import Training, TrainingStage
from htp.methods.budget import Budget


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that stands still until it is moved."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    stopped = Clock()
    monkeypatch.setattr(budget, "time", stopped)
    monkeypatch.setattr(training_loop, "time", stopped)
    return stopped


def train(training, stage, trips, step):
    """Train nothing: `step` says the losses."""
    weight = torch.nn.Parameter(torch.zeros(()))
    training.run(stage, trips, torch.optim.SGD([weight]), lambda rows, share: 0.0 * weight + step(rows, share))


def run(training, stage, trips=10):
    seen, shares = [], []

    def step(rows, share):
        seen.append(rows)
        shares.append(share)
        return 1.0

    train(training, stage, trips, step)
    return seen, shares


def test_epochs_are_those_of_the_budget_and_of_the_paper_without_one():
    said = []
    seen, shares = run(Training(Budget(epochs=3), 0, said.append), TrainingStage("a", 7, 5))
    assert len(seen) == 6
    assert all(sorted(np.concatenate(seen[at : at + 2])) == list(range(10)) for at in (0, 2, 4))
    assert shares == pytest.approx([0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6])
    assert [(line["epoch"], line["step"], line["loss"]) for line in said] == [(1, 2, 1.0), (2, 4, 1.0), (3, 6, 1.0)]
    assert len(run(Training(Budget(), 0, said.append), TrainingStage("a", 7, 5))[0]) == 14


def test_the_order_is_new_every_epoch_and_the_seeds():
    first, again, other = (
        np.concatenate(run(Training(Budget(epochs=2), seed, print), TrainingStage("a", 1, 5))[0]) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[:10], first[10:])


def test_trips_that_do_not_fill_a_batch_wait_for_another_epoch():
    said = []
    seen, _ = run(Training(Budget(epochs=2, batch_size=4), 0, said.append), TrainingStage("a", 1, 99))
    assert [len(rows) for rows in seen] == [4, 4, 4, 4]
    assert [line["step"] for line in said] == [2, 4]
    seen, _ = run(Training(Budget(epochs=1), 0, print), TrainingStage("a", 1, 99))
    assert [len(rows) for rows in seen] == [10]


def test_each_stage_ends_at_its_share_of_the_seconds(clock):
    training = Training(Budget(seconds=100), 0, lambda _: None)

    def step(_rows, share):
        shares.append(share)
        clock.now += 10
        return 0.0

    for stage, steps in ((TrainingStage("first", 1, 5, until=0.3), 3), (TrainingStage("second", 1, 5), 7)):
        shares = []
        train(training, stage, 10, step)
        assert shares == pytest.approx([at / steps for at in range(steps)])
    assert [facts["steps"] for facts in training.done] == [3, 7]
    assert [facts["seconds"] for facts in training.done] == [30, 70]
    assert training.done[0]["ms_per_step"] == 10_000


def test_a_stage_whose_time_is_over_still_takes_a_step(clock):
    training = Training(Budget(seconds=1), 0, print)
    clock.now += 50
    seen = []

    def step(rows, _share):
        seen.append(rows)
        clock.now += 0.1
        return 1.0

    train(training, TrainingStage("late", 5, 5), 10, step)
    assert len(seen) == 1


def test_what_was_learned_since_the_last_report_is_reported_at_the_end(clock):
    said = []

    def step(_rows, _share):
        clock.now += 10
        return float(len(said))

    train(Training(Budget(seconds=50), 0, said.append), TrainingStage("cut short", 1, 2), 6, step)
    assert [(line["epoch"], line["step"]) for line in said] == [(1, 3), (2, 5)]


def test_a_slow_epoch_is_reported_on_its_way(clock):
    said = []
    training = Training(Budget(epochs=1), 0, said.append)

    def step(rows, _):
        clock.now += 20
        return float(rows[0])

    train(training, TrainingStage("slow", 1, 1), 6, step)
    assert [line["step"] for line in said] == [2, 4, 6]


@pytest.mark.parametrize("half", [True, False])
def test_a_stage_finds_a_line_at_its_rate(half):
    torch.manual_seed(0)
    layer, x, said, shares = torch.nn.Linear(1, 1), torch.linspace(-1, 1, 16)[:, None], [], []

    def loss(rows, _):
        return (layer(x[rows]).float() - (2 * x[rows] + 1)).square().mean()

    stage = TrainingStage("line", 200, 16, half=half, rate=lambda share: shares.append(share) or 1.0)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.05)
    Training(Budget(), 0, said.append).run(stage, 16, optimizer, loss)
    assert said[-1]["loss"] < 0.01 < said[0]["loss"]
    assert layer.weight.dtype == torch.float32
    assert shares == pytest.approx([at / 200 for at in range(200)])
