"""Train the tokenizer: AdamW, warm-up and cosine schedule, resumable, in one process or several (paper 5.1).

Writes a line of JSON every epoch: losses, the share of each codebook in use (Figure 9), the error on held-out trips.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from htp.compute import distributed
from htp.compute.length_batches import length_batches
from htp.compute.optimizer import adamw
from htp.compute.training_loop import Lap, Task, TrainingLoop, TrainingPlan, forget, half_is_faster, kept_apart
from htp.tokenizer.batch import Batches
from htp.tokenizer.offsets_train import fit_offsets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from htp.config import TokenizerTraining
    from htp.tokenizer.batch import Batch
    from htp.tokenizer.features import Samples
    from htp.tokenizer.model import RQVAE
    from htp.tokenizer.tokenizer import Tokenizer


CHECK_BATCH = 256


class TokenizerTrainer:
    """Fit a tokenizer to samples; `fit` goes on from `resume.pt` where one lies in the folder."""

    def __init__(self, tokenizer: Tokenizer, settings: TokenizerTraining, folder: Path) -> None:
        self.tokenizer, self.settings, self.folder = tokenizer, settings, folder
        self.model: RQVAE = tokenizer.model
        self.epoch, self.seconds = 0, 0.0

    def fit(self, train: Samples, heldout: Samples, report: Callable[[dict], None]) -> None:
        """Train patterns until the epochs or the minutes of the settings are over, then offsets; save the tokenizer."""
        self.fit_patterns(train, heldout, report)
        distributed.part()
        if not distributed.is_first():
            return
        if self.model.noise is not None:
            fit_offsets(self.model.noise, train, seed=self.settings.seed, report=report)
        self.tokenizer.save(self.folder)
        forget(self.folder)

    def fit_patterns(self, train: Samples, heldout: Samples, report: Callable[[dict], None]) -> None:
        """Train the RQ-VAE alone: all of the tokenizer but how offsets are drawn.

        A few of the training trips are kept apart: the weights that stay are those that had the least loss on them.
        """
        settings, batches = self.settings, Batches(train)
        rows, apart = kept_apart(len(train), settings.seed)

        def whole(some: NDArray[np.int64]) -> Tensor:
            return self.model(batches.collate(some).to(self.tokenizer.device)).loss

        task = Task(
            self.model,
            adamw(self.model.parameters(), settings.learning_rate, settings.weight_decay),
            train.points[rows],
            lambda chosen, device: batches.collate(rows[chosen]).to(device),
            self._loss,
            lambda lap: self._line(lap, heldout),
            (lambda: self._mean_loss(batches.points, apart, whole)) if len(apart) else None,
        )
        plan = TrainingPlan(settings.batch_size, settings.seed, settings.epochs, settings.minutes, half=half_is_faster)
        loop = TrainingLoop(task, plan, report, self.folder)
        loop.run()
        self.epoch, self.seconds = math.ceil(loop.step / loop.epoch_steps), loop.seconds

    def fit_decoder(
        self,
        train: Samples,
        heldout: Samples,
        report: Callable[[dict], None],
        redrawn: Callable[[NDArray[np.int64], Tensor], Tensor] = lambda _, codes: codes,
    ) -> None:
        """Train the decoder and what it knows of roads further; the codes of all trips stay. Save the tokenizer.

        `redrawn` returns the codes [B, P, L] that it is trained on, given rows of `train` and their own codes.
        """
        settings, batches = self.settings, Batches(train)
        rows, apart = kept_apart(len(train), settings.seed)
        trained = nn.ModuleList([self.model.roads, self.model.decoder])
        self.model.eval()  # the codebooks, which move in training, are not in it

        def collate(some: NDArray[np.int64], device: torch.device | str) -> tuple[Batch, Tensor]:
            batch = batches.collate(some).to(device)
            with torch.no_grad():
                return batch, redrawn(some, self.model.encode(batch.inputs, batch.routes))

        def loss(_: object, trips: tuple[Batch, Tensor]) -> dict[str, Tensor]:
            parts = self.model.decoder_losses(*trips)
            return {"loss": torch.stack(list(parts.values())).sum()} | {name: p.detach() for name, p in parts.items()}

        def of_decoder(some: NDArray[np.int64]) -> Tensor:
            return loss(None, collate(some, self.tokenizer.device))["loss"]

        task = Task(
            trained,
            adamw(trained.parameters(), settings.learning_rate, settings.weight_decay),
            train.points[rows],
            lambda chosen, device: collate(rows[chosen], device),
            loss,
            lambda lap: {"minutes": lap.minutes} | self._parts(lap) | self._check(heldout),
            (lambda: self._mean_loss(batches.points, apart, of_decoder)) if len(apart) else None,
        )
        plan = TrainingPlan(settings.batch_size, settings.seed, settings.epochs, settings.minutes, half=half_is_faster)
        TrainingLoop(task, plan, report, self.folder).run()
        self.tokenizer.save(self.folder)
        forget(self.folder)

    def _loss(self, model: Callable, batch: Batch) -> dict[str, Tensor]:
        """Return the loss, its parts, and how often each code was used, [L, C]."""
        result = model(batch)
        codes, real = result.codes.flatten(0, 1).T, batch.routes.pattern_mask.flatten()
        used = torch.zeros(len(codes), max(self.model.config.codebook_sizes), device=codes.device)
        used.scatter_add_(1, codes, real.float().expand_as(codes))
        return {"loss": result.loss, "used": used} | result.parts

    def _mean_loss(
        self, points: NDArray[np.int64], rows: NDArray[np.int64], loss: Callable[[NDArray[np.int64]], Tensor]
    ) -> float:
        """Return the mean loss of some of the trips, whose numbers of points are `points` [N]."""
        self.model.eval()
        torch.manual_seed(self.settings.seed)  # codes that are redrawn are the same each time; a step seeds anew
        some = [rows[chosen] for chosen in length_batches(points[rows], CHECK_BATCH)]
        return float(np.average([float(loss(part)) for part in some], weights=[len(part) for part in some]))

    def _line(self, lap: Lap, heldout: Samples) -> dict[str, Any]:
        sizes = self.model.config.codebook_sizes
        shares = [round(int((used > 0).sum()) / size, 3) for used, size in zip(lap.means["used"], sizes, strict=True)]
        facts = {"codes_in_use": shares, "epoch": math.ceil(lap.epochs), "minutes": lap.minutes}
        return self._parts(lap) | facts | self._check(heldout)

    @staticmethod
    def _parts(lap: Lap) -> dict[str, float]:
        return {name: round(lap.mean(name), 4) for name in lap.means if name not in ("loss", "used", "grad_norm")}

    @torch.inference_mode()
    def _check(self, heldout: Samples) -> dict:
        """Return the distance along the route between held-out points and their reconstructions, in metres."""
        self.model.eval()
        batches, errors, generator = Batches(heldout), [], torch.Generator().manual_seed(0)
        for rows in batches.epoch(CHECK_BATCH, None):
            batch = batches.collate(rows).to(self.tokenizer.device)
            uniform = torch.rand(*batch.along_m.shape, 2, generator=generator).to(self.tokenizer.device)
            codes = self.model.encode(batch.inputs, batch.routes)
            along_m, _ = self.model.decode(codes, batch.routes, uniform)
            errors.append((along_m - batch.along_m).abs()[batch.routes.point_mask])
        error = torch.cat(errors)
        return {"error_m": {q: round(float(error.quantile(float(q))), 1) for q in ("0.5", "0.9")}}
