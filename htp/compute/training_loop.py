"""Train a model step by step: the one loop of all stages, in one process or in several.

    rows of like lengths → collate → loss → gradients, clipped → optimizer → now and then a line, a state

A stage says what is trained (`Task`) and for how long (`TrainingPlan`). A training runs where its model is, and
nothing is read from there but for lines and states. What is random in a step follows from the seed and the number of
the step, so that a training that was stopped ends where one ends that was not. A stage that gives a loss on held-out
rows ends with the averaged weights that had the least of it. Knows nothing of trips.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable  # noqa: TC003  dataclasses name their types
from contextlib import nullcontext
from dataclasses import dataclass
from pickle import UnpicklingError  # what torch raises; nothing is unpickled
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from htp.compute import distributed
from htp.compute.length_batches import length_batches
from htp.errors import InputError
from htp.files import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

WARM_UP = 0.03  # share of the training over which the learning rate rises
LEAST = 0.01  # of the highest rate, at the beginning and the end
SAVE_EVERY_S = 120.0
CHECKS = 24  # looks at held-out rows in a training, ours
APART, MOST_APART = 0.05, 1024  # share and number of the rows that are looked at, ours
AVERAGE = 0.999  # of the averaged weights stays at a step
STATE, LOG = "resume.pt", "training.jsonl"  # files in the folder of a stage; the first is removed when it is trained


def rate_at(progress: float) -> float:
    """Return the factor of the highest learning rate when the share `progress` of a training is done.

    It rises, then falls along a cosine (ours; the paper gives a single rate).
    """
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
    return max(min(progress / WARM_UP, 1.0) * cosine, LEAST)


def half_is_faster(device: torch.device | str) -> bool:
    """Say whether a device trains faster in bfloat16 than in float32: a GPU does, and a processor with AMX.

    Without AMX, bfloat16 is converted back and forth: 2.5 instead of 1.9 s a step of the language model, 32 trips on
    one core with AVX-512.
    """
    return torch.device(device).type != "cpu" or bool(torch.cpu._is_amx_tile_supported())  # noqa: SLF001  no other way


@dataclass(frozen=True)
class Lap:
    """What was done between two lines."""

    step: int  # how many steps of the training are done
    epochs: float  # and how many epochs
    seconds: float  # and how long it took, earlier runs included
    steps: int  # of this lap
    learning_rate: float  # of its last step
    means: dict[str, Tensor]  # what the losses gave and `grad_norm`, over its steps and all processes; not on a GPU

    @property
    def minutes(self) -> float:
        """How long the training took, to a tenth."""
        return round(self.seconds / 60, 1)

    def mean(self, name: str) -> float:
        """Return one of the means."""
        return float(self.means[name])


@dataclass(frozen=True)
class Task:
    """What is trained, on what, and what is said of it."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    lengths: NDArray[np.int64]  # [N] of the rows that are trained on
    collate: Callable[[NDArray[np.int64], torch.device], Any]  # rows to their batch, on the device
    loss: Callable[[Any, Any], dict[str, Tensor]]  # of model and batch: `loss`, to be lowered, and what else is told
    line: Callable[[Lap], dict[str, Any]]  # what is logged and reported
    heldout: Callable[[], float] | None = None  # loss of the model on held-out rows; None: the last weights stay


@dataclass(frozen=True)
class TrainingPlan:
    """How a training goes: its batches, its learning rate, its lines, and its end, the first of those given."""

    batch_size: int
    seed: int
    epochs: float = math.inf
    minutes: float | None = None
    steps: float = math.inf
    rate: Callable[[float], float] = rate_at  # factor of the highest learning rate at the share that is done
    half: Callable[[torch.device], bool] = lambda _: False  # whether losses are computed in bfloat16 on a device
    max_norm: float = 1.0  # of all gradients together; longer ones are cut
    only_full: bool = False  # rows that do not fill a batch wait for another epoch
    log_steps: float | None = None  # None: as many as an epoch has
    log_s: float = math.inf  # after which a line is due as well


@dataclass(frozen=True)
class Best:
    """The averaged weights that did best on held-out rows."""

    loss: float
    weights: dict[str, Tensor] | None  # None: nobody looks


class TrainingLoop:
    """One training. Without a folder it leaves no files and cannot be gone on with."""

    def __init__(
        self, task: Task, plan: TrainingPlan, report: Callable[[dict[str, Any]], None], folder: Path | None = None
    ) -> None:
        self.task, self.plan, self.report, self.folder = task, plan, report, folder
        self.together = distributed.together(task.model)
        self.device = next(task.model.parameters()).device
        self.half = plan.half(self.device)
        self.learning_rates = [group["lr"] for group in task.optimizer.param_groups]  # the highest
        self.step, self.seconds = 0, 0.0
        self.batches, self.epoch = self._batches_of(0), 0
        self.epoch_steps = len(self.batches)
        by_epochs = plan.epochs * self.epoch_steps
        self.steps = min(plan.steps, by_epochs if math.isinf(by_epochs) else math.ceil(by_epochs))
        self.sums: dict[str, Tensor] = {}
        self.summed = 0  # steps
        self.averaged = None if task.heldout is None else self._weights()
        self.best = Best(math.inf, self.averaged)
        self.checks = 0  # looks at held-out rows so far

    @property
    def progress(self) -> float:
        """The share of the training that is done, by steps or by minutes, whichever is further."""
        by_minutes = self.seconds / 60 / self.plan.minutes if self.plan.minutes else 0.0
        return max(self.step / self.steps, by_minutes)

    def run(self) -> list[Lap]:
        """Train to the end, from where a training in the folder was stopped; return what was done between the lines."""
        self._resume()
        started, logged, saved, laps = time.monotonic() - self.seconds, self.seconds, self.seconds, []
        self.task.model.train()
        while self.progress < 1.0:
            self._take_step()
            self.seconds = distributed.agreed(time.monotonic() - started)
            if self.averaged is not None and self.progress * CHECKS >= self.checks + 1:
                self._check(self.averaged)
            if self._is_to_log(logged):
                laps.append(self._log())
                logged = self.seconds
            if self.folder is not None and self.seconds - saved > SAVE_EVERY_S:
                self._save(self.folder / STATE)
                saved = self.seconds
        if self.best.weights is not None:
            self.task.model.load_state_dict(self.best.weights, strict=False)
        return laps

    def _check(self, averaged: dict[str, Tensor]) -> None:
        """Look how well the averaged weights do on held-out rows; keep them where they do better than any before."""
        assert self.task.heldout is not None
        own, model = self._weights(), self.task.model
        model.load_state_dict(averaged, strict=False)
        with torch.inference_mode():
            loss = float(distributed.mean(torch.tensor([self.task.heldout()], device=self.device)))
        model.train()
        self.checks = int(self.progress * CHECKS)
        if loss < self.best.loss:
            self.best = Best(loss, {name: value.clone() for name, value in averaged.items()})
        model.load_state_dict(own, strict=False)
        self.tell({"step": self.step, "heldout_loss": round(loss, 4), "least": round(self.best.loss, 4)})

    def tell(self, line: dict[str, Any]) -> None:
        """Log and report a line."""
        if not distributed.is_first():
            return
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        self.report(line)

    def _batches_of(self, epoch: int) -> Sequence[NDArray[np.int64]]:
        """Return the rows of the batches of an epoch that are this process's."""
        generator = np.random.default_rng([self.plan.seed, epoch])
        batches = length_batches(self.task.lengths, self.plan.batch_size, generator)
        if self.plan.only_full:
            batches = [rows for rows in batches if len(rows) == self.plan.batch_size]
        return distributed.share(batches)

    def _take_step(self) -> None:
        epoch, number = divmod(self.step, self.epoch_steps)
        if epoch != self.epoch:
            self.batches, self.epoch = self._batches_of(epoch), epoch
        torch.manual_seed(int(np.random.SeedSequence([self.plan.seed, self.step]).generate_state(1)[0]))
        batch = self.task.collate(self.batches[number], self.device)
        with torch.autocast(self.device.type, torch.bfloat16) if self.half else nullcontext():
            told = self.task.loss(self.together, batch)
        optimizer, factor = self.task.optimizer, self.plan.rate(self.progress)
        for group, highest in zip(optimizer.param_groups, self.learning_rates, strict=True):
            group["lr"] = highest * factor
        optimizer.zero_grad(set_to_none=True)
        told["loss"].backward()
        trained = [weight for group in optimizer.param_groups for weight in group["params"]]
        told["grad_norm"] = nn.utils.clip_grad_norm_(trained, self.plan.max_norm)
        optimizer.step()
        self.step, self.summed = self.step + 1, self.summed + 1
        if self.averaged is not None:
            self._average(self.averaged)
        for name, value in told.items():
            self.sums[name] = value.detach().float() + self.sums.get(name, 0.0)

    @torch.no_grad()
    def _average(self, averaged: dict[str, Tensor]) -> None:
        """Move the averaged weights towards those of this step; early ones count less."""
        kept = min(AVERAGE, (1 + self.step) / (10 + self.step))
        for name, value in self._trained().items():
            if value.is_floating_point():
                averaged[name].lerp_(value, 1 - kept)
            else:
                averaged[name].copy_(value)

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self._trained().items()}

    def _is_to_log(self, logged: float) -> bool:
        by_steps = self.step % (self.plan.log_steps or self.epoch_steps) == 0
        return by_steps or self.seconds - logged > self.plan.log_s or self.progress >= 1.0

    def _log(self) -> Lap:
        """Log what was done since the last line; return it."""
        flat = torch.cat([value.flatten() for value in self.sums.values()]) / self.summed
        parts = distributed.mean(flat).cpu().split([value.numel() for value in self.sums.values()])
        means = {name: part.view(value.shape) for (name, value), part in zip(self.sums.items(), parts, strict=True)}
        rate = self.task.optimizer.param_groups[0]["lr"]
        lap = Lap(self.step, self.step / self.epoch_steps, self.seconds, self.summed, rate, means)
        self.sums, self.summed = {}, 0
        if distributed.is_first():
            self.tell(self.task.line(lap))
            self.task.model.train()  # whatever a stage has looked at for its line
        return lap

    def _trained(self) -> dict[str, Tensor]:
        """Return the state of the model without weights that stay as they are: those of a base model."""
        fixed = {name for name, weight in self.task.model.named_parameters() if not weight.requires_grad}
        return {name: value for name, value in self.task.model.state_dict().items() if name not in fixed}

    def _save(self, path: Path) -> None:
        if distributed.is_first():
            state: dict[str, Any] = {"model": self._trained(), "optimizer": self.task.optimizer.state_dict()}
            state |= {"step": self.step, "seconds": self.seconds}
            state |= {"averaged": self.averaged, "best": vars(self.best), "checks": self.checks}
            with replacing(path) as temporary, temporary.open("wb") as file:
                torch.save(state, file)

    def _resume(self) -> None:
        path = None if self.folder is None else self.folder / STATE
        if path is None or not path.exists():
            return
        try:
            self._go_on(torch.load(path, map_location="cpu", weights_only=True))  # nothing in the file can run
        except (RuntimeError, ValueError, KeyError, UnpicklingError) as error:
            raise InputError(
                f"{path}: the training of a model of another kind was stopped here; go on with its options, or delete "
                "this file to begin anew."
            ) from error

    def _go_on(self, state: dict[str, Any]) -> None:
        if state["model"].keys() != self._trained().keys():
            raise KeyError("weights of other names")
        self.task.model.load_state_dict(state["model"], strict=False)  # without those that stay as they are
        self.task.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.best, self.checks = Best(**state["best"]), state["checks"]
        if self.averaged is not None:
            self.averaged = {name: value.to(self.device) for name, value in state["averaged"].items()}


def kept_apart(count: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which of so many rows are trained on, and the few at random that tell when it is enough."""
    order = np.random.default_rng([seed, 3]).permutation(count)
    few = min(int(APART * count), MOST_APART)
    return np.sort(order[few:]), np.sort(order[:few])


def forget(folder: Path) -> None:
    """Remove what a training was gone on with, once what it has trained is saved."""
    (folder / STATE).unlink(missing_ok=True)
