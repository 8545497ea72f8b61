"""Train the networks of a baseline for as long as its budget says, batch after batch.

A baseline is trained in stages, one after another. With a budget in seconds each stage ends at its share of them,
whatever its epochs; with one in epochs each stage runs that many; without either, as many as were published. Learning
rates are constant, as published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from htp.compute.training_loop import half_is_faster
from htp.methods.budget import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor, nn

REPORT_SECONDS = 30.0  # at least this often; otherwise every epoch


@dataclass(frozen=True)
class TrainingStage:
    """One of the networks of a baseline that are trained in turn."""

    name: str
    epochs: int  # published
    batch_size: int  # the configuration's
    until: float = 1.0  # share of the seconds of the whole training at which this stage ends


class Training(Clock):
    """The clock, the order of trips and the reports of one training."""

    reported = 0.0  # seconds into the training, at the last line

    def run(self, stage: TrainingStage, trips: int, step: Callable[[NDArray[np.int64], float], float]) -> None:
        """Call `step` with the rows of each batch and the share of the stage that is done; it returns the loss."""
        began, losses, steps, epoch = self.seconds, [], 0, 0
        size = min(self.budget.batch_size or stage.batch_size, trips)
        for epoch, rows, within in self._batches(stage, trips, size):
            losses.append(step(rows, self._share(stage, began, epoch + within)))
            steps += 1
            if within + 2 * size / trips > 1.0 or self.seconds - self.reported > REPORT_SECONDS:
                self._tell(stage, epoch, steps, losses)
                losses = []
        if losses:
            self._tell(stage, epoch, steps, losses)
        self.keep(stage.name, began, epochs=epoch + 1, steps=steps, batch_size=size)

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
        self.reported, loss = self.seconds, round(float(np.mean(losses)), 5)
        line = {"stage": stage.name, "epoch": epoch + 1, "step": steps, "seconds": round(self.reported, 1)}
        self.report(line | {"loss": loss})


class Descent:
    """An optimiser and the precision it computes in."""

    def __init__(self, optimizer: torch.optim.Optimizer, device: torch.device | str, *, half: bool = True) -> None:
        self.optimizer, self.device, self.half = optimizer, torch.device(device), half

    @classmethod
    def adamw(cls, modules: Iterable[nn.Module], rate: float, device: torch.device | str, *, half: bool = True) -> Self:
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
