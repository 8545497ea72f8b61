"""Check the one loop on a line through points: rates and steps by hand, ends, lines, and what a stop leaves."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from htp.compute import training_loop
from htp.compute.training_loop import LEAST, WARM_UP, Task, TrainingLoop, TrainingPlan, forget, kept_apart, rate_at
from htp.errors import InputError

LENGTHS = np.array([1, 1, 1, 1, 1, 1])  # six rows: three batches of two


def test_the_rate_rises_then_falls_along_a_cosine_and_is_never_nothing():
    assert rate_at(0.0) == LEAST
    assert rate_at(WARM_UP / 2) == pytest.approx(0.5, rel=1e-3)
    assert rate_at(0.5) == pytest.approx(0.5)
    assert rate_at(1.0) == LEAST
    assert rate_at(1.7) == LEAST


def noisy_loss(model, batch):
    """Return a loss that chance has a part in, and the rows of the batch."""
    noise = torch.rand(1, device=batch.device)
    seen = torch.zeros(6, device=batch.device).index_fill_(0, batch, 1.0)
    return {"loss": (model(noise) - 1.0).square().sum(), "seen": seen}


def collate(rows, device):
    return torch.from_numpy(rows).to(device)


@pytest.fixture
def loop():
    """Return a function that makes a training of a straight line; its lines are laps."""

    def make(report=lambda _: None, folder=None, device="cpu", size=1, **plan):
        torch.manual_seed(0)
        model = torch.nn.Linear(1, size, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.5)
        task = Task(model, optimizer, LENGTHS, collate, noisy_loss, lambda lap: {"step": lap.step})
        return TrainingLoop(task, TrainingPlan(**{"batch_size": 2, "seed": 0, "epochs": 2} | plan), report, folder)

    return make


def test_a_step_goes_down_the_gradient_by_the_rate_of_its_place(loop):
    made = loop(rate=lambda progress: 0.1 + progress, steps=2)
    weight, bias = (p.item() for p in made.task.model.parameters())
    seen = []
    made.task.model.register_forward_pre_hook(lambda _, given: seen.append(float(given[0])))
    laps = made.run()
    gradient = 2 * (weight * seen[0] + bias - 1.0) * np.array([seen[0], 1.0])
    first = np.array([weight, bias]) - 0.1 * gradient / max(1.0, math.hypot(*gradient))  # gradients are clipped to 1
    second = 2 * (first[0] * seen[1] + first[1] - 1.0) * np.array([seen[1], 1.0])
    assert laps[-1].learning_rate == pytest.approx(0.1 + 0.5)
    norms = math.hypot(*gradient), math.hypot(*second)
    assert laps[-1].mean("grad_norm") == pytest.approx(sum(norms) / 2, rel=1e-4)


def test_an_epoch_has_each_row_once_and_a_line(loop):
    laps = loop().run()
    assert [(lap.step, lap.epochs, lap.steps) for lap in laps] == [(3, 1.0, 3), (6, 2.0, 3)]
    assert [(3 * lap.means["seen"]).round().tolist() for lap in laps] == [[1.0] * 6] * 2


def test_rows_that_do_not_fill_a_batch_wait_for_another_epoch_where_that_is_asked_for(loop):
    laps = loop(batch_size=4, only_full=True).run()
    assert [lap.steps for lap in laps] == [1, 1]
    assert [int(lap.means["seen"].sum()) for lap in laps] == [4, 4]


@pytest.mark.parametrize(
    ("plan", "steps"),
    [({"epochs": 1.5}, 5), ({"epochs": 4, "steps": 7}, 7), ({"epochs": 1, "steps": 7}, 3), ({"minutes": 0.5}, 4)],
    ids=str,
)
def test_a_training_ends_at_the_first_of_its_ends(loop, monkeypatch, plan, steps):
    clock = iter(range(0, 10**6, 8))  # every look at the clock is eight seconds later
    monkeypatch.setattr(training_loop.time, "monotonic", lambda: float(next(clock)))
    made = loop(**plan)
    assert made.run()[-1].step == made.step == steps


def test_lines_come_after_so_many_steps_or_seconds_and_at_the_end(loop, monkeypatch):
    assert [lap.step for lap in loop(log_steps=4).run()] == [4, 6]
    clock = iter(range(0, 10**6, 8))
    monkeypatch.setattr(training_loop.time, "monotonic", lambda: float(next(clock)))
    assert [lap.step for lap in loop(log_steps=math.inf, log_s=10.0).run()] == [2, 4, 6]


def test_nothing_is_read_from_the_device_between_lines(loop):
    made = loop(device="meta")  # where nothing can be read
    for _ in range(5):
        made._take_step()
    assert made.step == 5
    assert {value.device.type for value in made.sums.values()} == {"meta"}


@pytest.fixture
def keep_every_step(monkeypatch):
    monkeypatch.setattr(training_loop, "SAVE_EVERY_S", -1.0)


@pytest.mark.usefixtures("keep_every_step")
@pytest.mark.parametrize("stop_at", [1, 3, 5])
def test_a_training_that_was_stopped_ends_where_one_that_was_not_ends(loop, tmp_path, stop_at):
    whole, heard = loop(log_steps=1), []
    whole.run()

    def report(line):
        heard.append(line["step"])
        if len(heard) == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop(report, tmp_path, log_steps=1).run()
    again = loop(report, tmp_path, log_steps=1)
    again.run()
    for one, other in zip(whole.task.model.parameters(), again.task.model.parameters(), strict=True):
        assert torch.equal(one, other)
    assert heard == [*range(1, stop_at + 1), *range(stop_at, 7)]  # the state is kept after the line
    log = [json.loads(line) for line in (tmp_path / "training.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == heard
    forget(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["training.jsonl"]


@pytest.mark.usefixtures("keep_every_step")
def test_the_time_of_earlier_runs_counts(loop, tmp_path, monkeypatch):
    clock = iter(range(0, 10**6, 8))
    monkeypatch.setattr(training_loop.time, "monotonic", lambda: float(next(clock)))
    loop(folder=tmp_path, epochs=1, minutes=1).run()
    again = loop(folder=tmp_path, epochs=100, minutes=1)
    assert again.run()[-1].seconds == 64.0
    assert again.step == 8


@pytest.mark.usefixtures("keep_every_step")
def test_weights_that_stay_as_they_are_are_not_kept(loop, tmp_path):
    made = loop(folder=tmp_path)
    made.task.model.weight.requires_grad_(requires_grad=False)
    made.run()
    assert torch.load(tmp_path / "resume.pt", weights_only=True)["model"].keys() == {"bias"}


@pytest.mark.usefixtures("keep_every_step")
@pytest.mark.parametrize("left", ["of another size", "of another version", "no state"])
def test_what_cannot_be_gone_on_with_is_a_sentence(loop, tmp_path, left):
    path = tmp_path / "resume.pt"
    if left == "of another size":
        loop(folder=tmp_path, size=2).run()
    elif left == "of another version":
        torch.save({"model": loop().task.model.state_dict(), "epoch": 3}, path)
    else:
        path.write_bytes(b"not a state")
    with pytest.raises(
        InputError, match="of another kind was stopped here; go on with its options, or delete this file"
    ):
        loop(folder=tmp_path).run()


def test_the_averaged_weights_that_did_best_on_held_out_rows_stay(loop):
    """Held-out losses are made up: the third look is the best."""
    made, seen = loop(epochs=8), []

    def heldout():
        seen.append({name: value.clone() for name, value in made.task.model.state_dict().items()})
        return 0.5 if len(seen) == 3 else 1.0

    made = TrainingLoop(replace(made.task, heldout=heldout), made.plan, lambda _: None)
    made.run()
    assert len(seen) > 6
    for name, value in made.task.model.state_dict().items():
        torch.testing.assert_close(value, seen[2][name])


def test_averaged_weights_are_those_of_the_steps_weighed(loop):
    """Early on the weights of step n count 9 / (10 + n), by hand for two steps."""
    made, own, averaged = loop(steps=2), [], []
    made = TrainingLoop(replace(made.task, heldout=lambda: 1.0), made.plan, lambda _: None)
    before = made.task.model.weight.item()
    for _ in range(2):
        made._take_step()
        own.append(made.task.model.weight.item())
        averaged.append(made.averaged["weight"].item())
    first = before + 9 / 11 * (own[0] - before)
    assert averaged[0] == pytest.approx(first, rel=1e-4)
    assert averaged[1] == pytest.approx(first + 9 / 12 * (own[1] - first), rel=1e-4)


def test_a_training_that_looks_at_held_out_rows_goes_on_after_a_stop_as_if_without(loop, tmp_path, monkeypatch):
    monkeypatch.setattr(training_loop, "SAVE_EVERY_S", -1.0)

    def run(folder, stop_at=None):
        def report(line):
            if line["step"] == stop_at:
                raise KeyboardInterrupt

        made = loop(report=report, folder=folder)
        weight = made.task.model.weight
        made = TrainingLoop(replace(made.task, heldout=lambda: abs(float(weight) - 0.3)), made.plan, report, folder)
        made.run()
        return made.task.model.state_dict()

    whole = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", stop_at=3)
    for name, value in run(tmp_path / "stopped").items():
        torch.testing.assert_close(value, whole[name])


def test_a_few_rows_are_kept_apart_and_none_is_lost():
    rows, apart = kept_apart(200, seed=1)
    assert len(apart) == 10
    assert sorted([*rows, *apart]) == list(range(200))
    assert len(kept_apart(10, seed=1)[1]) == 0
