"""Train the networks of a baseline for as long as its budget says, batch after batch.

A baseline is trained in stages, one after another. With a budget in seconds each stage ends at its share of them,
whatever its epochs; with one in epochs each stage runs that many; without either, as many as were published. Learning
rates are constant, as published.
"""

from __future__ import annotations

import math
from collections.abc import Callable  # noqa: TC003  dataclasses name their types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from htp.compute.training_loop import Lap, Task, TrainingLoop, TrainingPlan, half_is_faster
from htp.methods.budget import Clock

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

REPORT_SECONDS = 30.0  # at least this often; otherwise every epoch


@dataclass(frozen=True)
class TrainingStage:
    """One of the networks of a baseline that are trained in turn."""

    name: str
    epochs: int  # published
    batch_size: int  # the configuration's
    until: float = 1.0  # share of the seconds of the whole training at which this stage ends
    half: bool = True  # in bfloat16 where that is faster
    rate: Callable[[float], float] = lambda _: 1.0  # of the optimizer's learning rate, at a share of the stage


class Training(Clock):
    """The clock and the reports of one training."""

    def run(
        self,
        stage: TrainingStage,
        trips: int,
        optimizer: torch.optim.Optimizer,
        loss: Callable[[NDArray[np.int64], float], Tensor],
    ) -> None:
        """Lower the loss, which is given the rows of a batch and the share of the stage that is done."""
        began, left_s = self.seconds, self.left_s(stage.until)
        size = min(self.budget.batch_size or stage.batch_size, trips)
        task = Task(
            nn.ParameterList(weight for group in optimizer.param_groups for weight in group["params"]),
            optimizer,
            np.ones(trips, dtype=np.int64),  # resampled to one length
            lambda rows, _: rows,
            lambda _, rows: {"loss": loss(rows, loop.progress)},
            lambda lap: self._line(stage, lap),
        )
        plan = TrainingPlan(
            size,
            self.seed,
            self.budget.epochs or (stage.epochs if left_s is None else math.inf),
            None if left_s is None else left_s / 60,
            rate=stage.rate,
            half=half_is_faster if stage.half else lambda _: False,
            max_norm=math.inf,
            only_full=True,
            log_s=REPORT_SECONDS,
        )
        loop = TrainingLoop(task, plan, self.report)
        loop.run()
        self.keep(stage.name, began, epochs=math.ceil(loop.step / loop.epoch_steps), steps=loop.step, batch_size=size)

    def _line(self, stage: TrainingStage, lap: Lap) -> dict[str, Any]:
        facts = {"stage": stage.name, "epoch": math.ceil(lap.epochs), "step": lap.step}
        return facts | {"seconds": round(self.seconds, 1), "loss": round(lap.mean("loss"), 5)}
