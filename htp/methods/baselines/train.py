"""Train the networks of a baseline for as long as its budget says, batch after batch.

A baseline is trained in stages, one after another. With a budget in seconds each stage ends at its share of them,
whatever its epochs; with one in epochs each stage runs that many; without either, as many as were published. Learning
rates are constant, as published.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from htp.compute.precision import half_is_faster
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor, nn

REPORT_SECONDS = 30.0  # at least this often; otherwise every epoch


@dataclass(frozen=True)
class Budget:
    """How long to train: until the first of these limits; `batch_size` None: the configuration's."""

    seconds: float | None = None
    epochs: int | None = None
    batch_size: int | None = None

    def __post_init__(self) -> None:
        """Refuse budgets in which nothing can be learned."""
        for name in ("seconds", "epochs", "batch_size"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name} is {value}; give a budget above 0.")


@dataclass(frozen=True)
class TrainingStage:
    """One of the networks of a baseline that are trained in turn."""

    name: str
    epochs: int  # published
    batch_size: int  # the configuration's
    until: float = 1.0  # share of the seconds of the whole training at which this stage ends


class Training:
    """The clock, the order of trips and the reports of one training."""

    def __init__(self, budget: Budget, seed: int, report: Callable[[dict[str, Any]], None]) -> None:
        self.budget, self.seed, self.report = budget, seed, report
        self.started = self.reported = time.monotonic()
        self.done: list[dict[str, Any]] = []  # what each stage came to

    @property
    def seconds(self) -> float:
        """Seconds since the training began, preparation included."""
        return time.monotonic() - self.started

    def run(self, stage: TrainingStage, trips: int, step: Callable[[NDArray[np.int64], float], float]) -> None:
        """Call `step` with the rows of each batch and the share of the stage that is done; it returns the loss."""
        began, losses, steps, epoch = self.seconds, [], 0, 0
        size = min(self.budget.batch_size or stage.batch_size, trips)
        for epoch, rows, within in self._batches(stage, trips, size):
            losses.append(step(rows, self._share(stage, began, epoch + within)))
            steps += 1
            if within + 2 * size / trips > 1.0 or time.monotonic() - self.reported > REPORT_SECONDS:
                self._tell(stage, epoch, steps, losses)
                losses = []
        if losses:
            self._tell(stage, epoch, steps, losses)
        seconds = self.seconds - began
        facts = {"stage": stage.name, "epochs": epoch + 1, "steps": steps, "seconds": round(seconds, 3)}
        self.done.append(facts | {"batch_size": size, "ms_per_step": round(1000 * seconds / max(steps, 1), 2)})

    def _batches(self, stage: TrainingStage, trips: int, size: int) -> Iterator[tuple[int, NDArray[np.int64], float]]:
        """Yield epoch, rows and the share of the epoch before them, until the stage's time is over; at least once."""
        order_of = np.random.default_rng([self.seed, len(self.done)])
        epochs = self._epochs(stage)
        epoch, first = 0, True
        while epochs is None or epoch < epochs:
            order = order_of.permutation(trips)
            for start in range(0, trips - size + 1, size):  # what is left over comes in another epoch
                if not first and self._late(stage):
                    return
                first = False
                yield epoch, order[start : start + size], start / trips
            epoch += 1

    def _epochs(self, stage: TrainingStage) -> int | None:
        if self.budget.epochs is not None:
            return self.budget.epochs
        return stage.epochs if self.budget.seconds is None else None

    def _late(self, stage: TrainingStage) -> bool:
        return self.budget.seconds is not None and self.seconds >= stage.until * self.budget.seconds

    def _share(self, stage: TrainingStage, began: float, epochs_done: float) -> float:
        epochs, shares = self._epochs(stage), [0.0]
        if epochs is not None:
            shares.append(epochs_done / epochs)
        if self.budget.seconds is not None:
            shares.append((self.seconds - began) / max(stage.until * self.budget.seconds - began, 1e-6))
        return min(max(shares), 1.0)

    def _tell(self, stage: TrainingStage, epoch: int, steps: int, losses: list[float]) -> None:
        self.reported = time.monotonic()
        loss = round(float(np.mean(losses)), 5)
        seconds = round(self.seconds, 1)
        self.report({"stage": stage.name, "epoch": epoch + 1, "step": steps, "seconds": seconds, "loss": loss})


class Descent:
    """An optimiser and the precision it computes in."""

    def __init__(self, optimizer: torch.optim.Optimizer, device: torch.device, *, half: bool = True) -> None:
        self.optimizer, self.device, self.half = optimizer, device, half

    @classmethod
    def adamw(cls, modules: Iterable[nn.Module], rate: float, device: torch.device, *, half: bool = True) -> Descent:
        """Return AdamW with torch's weight decay of 0.01 over the weights of `modules`."""
        weights = [weight for module in modules for weight in module.parameters()]
        return cls(torch.optim.AdamW(weights, lr=rate), device, half=half)

    def step(self, loss_of: Callable[[], Tensor]) -> float:
        """Take a step down the loss, computed in bfloat16 where `half` and that is faster; return the loss."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half and half_is_faster(self.device)):
            loss = loss_of()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())
