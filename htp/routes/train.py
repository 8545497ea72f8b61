"""Train the model that writes routes: AdamW, warm-up and cosine schedule, resumable.

Writes a line of JSON every few seconds. Whether a trip's destination is told is drawn anew at each step.
"""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from htp.compute.schedule import rate_at
from htp.errors import InputError
from htp.files import replacing
from htp.routes.batch import TOLD_SHARE, RouteDataset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.config import LanguageTraining
    from htp.routes.conditions import RouteConditions
    from htp.routes.generator import RouteGenerator

LOG_EVERY_S, SAVE_EVERY_S = 15.0, 60.0


class RouteTrainer:
    """Fit a writer of routes to driven ones; `fit` goes on from `resume.pt` where one lies in the folder."""

    def __init__(self, writer: RouteGenerator, settings: LanguageTraining, folder: Path) -> None:
        self.writer, self.settings, self.folder = writer, settings, folder
        self.model = writer.model
        parameters = list(self.model.parameters())
        # the numbers that begin at counts are no matrices: they are not drawn towards zero
        decayed = [p for p in parameters if p.ndim > 1 and p is not self.model.turn_bias]
        others = [p for p in parameters if p.ndim <= 1 or p is self.model.turn_bias]
        groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98))
        self.step, self.seconds = 0, 0.0

    def fit(
        self, facts: RouteConditions, routes: Sequence[NDArray[np.int32]], report: Callable[[dict], None] = print
    ) -> None:
        """Train until the epochs or the minutes of the settings are over; save the writer at the end."""
        data = RouteDataset(facts, routes, self.model.network)
        self.model.start_from_counts(*data.uses())
        self._resume()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.model.train()
        steps = math.ceil(len(data) / self.settings.batch_size)
        losses: list[float] = []
        clock = logged = saved = time.monotonic()
        batches: list[NDArray[np.int64]] = []
        while (progress := self._progress(steps)) < 1.0:
            epoch, number = divmod(self.step, steps)
            if number == 0 or not batches:
                batches = data.epoch(self.settings.batch_size, (self.settings.seed, epoch))
            losses.append(self._step(data, batches[number], progress))
            self.step += 1
            now = time.monotonic()
            self.seconds, clock = self.seconds + now - clock, now
            if now - logged > LOG_EVERY_S or self._progress(steps) >= 1.0:
                report(self._log(float(np.mean(losses)), self.step / steps))
                losses, logged = [], now
            if now - saved > SAVE_EVERY_S:
                self._save_state()
                saved = now
        self.writer.save(self.folder)
        (self.folder / "resume.pt").unlink(missing_ok=True)

    def _step(self, data: RouteDataset, rows: NDArray[np.int64], progress: float) -> float:
        told = np.random.default_rng([self.settings.seed, self.step, 1]).random(len(rows)) < TOLD_SHARE
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * rate_at(progress)
        device = self.model.features.device.type
        with torch.autocast(device, torch.bfloat16, enabled=device != "cpu"):  # on two cores half as fast as float32
            loss = self.model.loss(data.collate(rows, told))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()

    def _progress(self, steps: int) -> float:
        """Return the share of the training that is done, by epochs or by minutes, whichever is further."""
        by_epochs = self.step / steps / self.settings.epochs
        by_minutes = self.seconds / 60 / self.settings.minutes if self.settings.minutes else 0.0
        return max(by_epochs, by_minutes)

    def _log(self, loss: float, epoch: float) -> dict:
        line = {"step": self.step, "epoch": round(epoch, 2), "minutes": round(self.seconds / 60, 1), "loss": loss}
        with (self.folder / "training.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return line

    def _save_state(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        with replacing(self.folder / "resume.pt") as path, path.open("wb") as file:
            torch.save(state, file)

    def _resume(self) -> None:
        path = self.folder / "resume.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)  # tensors only: nothing in the file can run
        try:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError) as error:
            raise InputError(
                f"{path}: the training of a model of another kind was stopped here; go on with its options, or delete "
                "this file to begin anew."
            ) from error
        self.step, self.seconds = state["step"], state["seconds"]
