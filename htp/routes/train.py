"""Train the model that writes routes: AdamW, warm-up and cosine schedule, resumable.

Writes a line of JSON every few seconds. Whether a trip's destination is told is drawn anew at each step.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from htp.compute.optimizer import adamw
from htp.compute.training_loop import Lap, Task, TrainingLoop, TrainingPlan, forget
from htp.routes.batch import TOLD_SHARE, RouteDataset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from htp.config import LanguageTraining
    from htp.routes.conditions import RouteConditions
    from htp.routes.generator import RouteGenerator
    from htp.routes.model import RouteBatch

LOG_EVERY_S = 15.0


class RouteTrainer:
    """Fit a writer of routes to driven ones; `fit` goes on from `resume.pt` where one lies in the folder."""

    def __init__(self, route_generator: RouteGenerator, settings: LanguageTraining, folder: Path) -> None:
        self.route_generator, self.settings, self.folder = route_generator, settings, folder

    def fit(
        self, conditions: RouteConditions, routes: Sequence[NDArray[np.int32]], report: Callable[[dict], None] = print
    ) -> None:
        """Train until the epochs or the minutes of the settings are over; save the writer at the end."""
        settings, model = self.settings, self.route_generator.model
        data = RouteDataset(conditions, routes, model.network)
        model.start_from_counts(*data.uses())

        def collate(rows: NDArray[np.int64], _: torch.device) -> RouteBatch:
            return data.collate(rows, (torch.rand(len(rows)) < TOLD_SHARE).numpy())

        # the numbers that begin at counts are no matrices: they are not drawn towards zero
        optimizer = adamw(model.parameters(), settings.learning_rate, settings.weight_decay, [model.turn_bias])
        task = Task(model, optimizer, data.counts, collate, lambda model, driven: {"loss": model.loss(driven)}, _line)
        plan = TrainingPlan(
            *(settings.batch_size, settings.seed, settings.epochs, settings.minutes),
            half=lambda device: device.type != "cpu",  # on two cores half as fast as float32
            log_steps=math.inf,
            log_s=LOG_EVERY_S,
        )
        TrainingLoop(task, plan, report, self.folder).run()
        self.route_generator.save(self.folder)
        forget(self.folder)


def _line(lap: Lap) -> dict[str, Any]:
    return {"step": lap.step, "epoch": round(lap.epochs, 2), "minutes": lap.minutes, "loss": lap.mean("loss")}
