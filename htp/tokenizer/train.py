"""Train the tokenizer: AdamW, warm-up and cosine schedule, resumable, in one process or several (paper 5.1).

Writes a line of JSON every epoch: losses, the share of each codebook in use (Figure 9), the error on held-out trips.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from htp.compute import distributed
from htp.compute.precision import half_is_faster
from htp.compute.schedule import rate_at
from htp.files import replacing
from htp.tokenizer.batch import Batches
from htp.tokenizer.offsets_train import fit_offsets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from htp.config import TokenizerTraining
    from htp.tokenizer.features import Samples
    from htp.tokenizer.model import RQVAE
    from htp.tokenizer.tokenizer import Tokenizer

SAVE_EVERY_S = 120.0


class TokenizerTrainer:
    """Fit a tokenizer to samples; `fit` goes on from `resume.pt` where one lies in the folder."""

    def __init__(self, tokenizer: Tokenizer, settings: TokenizerTraining, folder: Path) -> None:
        self.tokenizer, self.settings, self.folder = tokenizer, settings, folder
        self.model: RQVAE = tokenizer.model
        self.together = distributed.together(self.model)
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        others = [p for p in self.model.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98))
        self.epoch, self.seconds, self.saved_at = 0, 0.0, time.monotonic()

    def fit(self, train: Samples, heldout: Samples, report: Callable[[dict], None]) -> None:
        """Train patterns until the epochs or the minutes of the settings are over, then offsets; save the tokenizer."""
        self.fit_patterns(train, heldout, report)
        distributed.part()
        if not distributed.is_first():
            return
        if self.model.noise is not None:
            fit_offsets(self.model.noise, train, seed=self.settings.seed, report=report)
        self.tokenizer.save(self.folder)
        (self.folder / "resume.pt").unlink(missing_ok=True)

    def fit_patterns(self, train: Samples, heldout: Samples, report: Callable[[dict], None]) -> None:
        """Train the RQ-VAE alone: all of the tokenizer but how offsets are drawn."""
        self._resume()
        batches = Batches(train)
        while (progress := self._progress()) < 1.0:
            started = time.monotonic()
            epoch_report = self._train_epoch(batches, progress)
            self.seconds = distributed.agreed(self.seconds + time.monotonic() - started)
            self.epoch += 1
            if distributed.is_first():
                epoch_report |= {"epoch": self.epoch, "minutes": round(self.seconds / 60, 1)} | self._check(heldout)
                self._log(epoch_report)
                report(epoch_report)
                self._save_state()

    def _train_epoch(self, batches: Batches, progress: float) -> dict:
        self.model.train()
        generator = np.random.default_rng([self.settings.seed, self.epoch])
        sums: dict[str, float] = {}
        uses = [torch.zeros(size) for size in self.model.config.codebook_sizes]
        rows_of = distributed.share(batches.epoch(self.settings.batch_size, generator))
        torch.manual_seed(int(generator.integers(2**62)))  # revived codes are the same after a stop
        started, before = time.monotonic(), self.seconds
        for number, rows in enumerate(rows_of):
            self.seconds = distributed.agreed(before + time.monotonic() - started)
            progress = self._progress(number / len(rows_of))
            if progress >= 1.0:
                break
            parts, codes = self._step(batches, rows, progress)
            for name, part in parts.items():
                sums[name] = sums.get(name, 0.0) + float(part) / len(rows_of)
            for layer in range(len(uses)):
                uses[layer] += torch.bincount(codes[:, layer].cpu(), minlength=len(uses[layer]))
        self.seconds = before
        shares = [round(float((distributed.total(used) > 0).float().mean()), 3) for used in uses]
        means = distributed.mean(torch.tensor(list(sums.values()), dtype=torch.float64)).tolist()
        return {name: round(value, 4) for name, value in zip(sums, means, strict=True)} | {"codes_in_use": shares}

    def _step(self, batches: Batches, rows: np.ndarray, progress: float) -> tuple[dict[str, Tensor], Tensor]:
        batch = batches.collate(rows).to(self.tokenizer.device)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * rate_at(progress)
        device = self.tokenizer.device
        with torch.autocast(device.type, torch.bfloat16, enabled=half_is_faster(device)):
            result = self.together(batch)
        self.optimizer.zero_grad(set_to_none=True)
        result.loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return result.parts, result.codes[batch.routes.pattern_mask]

    def _progress(self, within_epoch: float = 0.0) -> float:
        """Return the share of the training that is done, by epochs or by minutes, whichever is further."""
        by_epochs = (self.epoch + within_epoch) / self.settings.epochs
        by_minutes = self.seconds / 60 / self.settings.minutes if self.settings.minutes else 0.0
        return max(by_epochs, by_minutes)

    @torch.inference_mode()
    def _check(self, heldout: Samples) -> dict:
        """Return the distance along the route between held-out points and their reconstructions, in metres."""
        self.model.eval()
        batches, errors = Batches(heldout), []
        for rows in batches.epoch(256, None):
            batch = batches.collate(rows).to(self.tokenizer.device)
            codes = self.model.encode(batch.inputs, batch.routes)
            along_m, _ = self.model.decode(codes, batch.routes)
            errors.append((along_m - batch.along_m).abs()[batch.routes.point_mask])
        error = torch.cat(errors)
        return {"error_m": {q: round(float(error.quantile(float(q))), 1) for q in ("0.5", "0.9")}}

    def _log(self, epoch_report: dict) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "training.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(epoch_report) + "\n")

    def _save_state(self) -> None:
        if time.monotonic() - self.saved_at < SAVE_EVERY_S:
            return
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "seconds": self.seconds,
            "settings": asdict(self.settings),
        }
        with replacing(self.folder / "resume.pt") as path, path.open("wb") as file:
            torch.save(state, file)
        self.saved_at = time.monotonic()

    def _resume(self) -> None:
        path = self.folder / "resume.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)  # tensors only: nothing in the file can run
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.seconds = state["epoch"], state["seconds"]
