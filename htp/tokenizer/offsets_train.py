"""Train the model of offsets, and calibrate it on trips drawn from it; a few minutes after the RQ-VAE's training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from htp.compute import distributed
from htp.compute.optimizer import adamw
from htp.compute.training_loop import Task, TrainingLoop, TrainingPlan
from htp.tokenizer.batch import pad
from htp.tokenizer.offsets import movement_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp.tokenizer.features import Samples
    from htp.tokenizer.offsets import OffsetDensity

EPOCHS = 16  # ours
MIN_STEPS, MAX_STEPS = 200, 4000  # ours, of few trips and of many: the loss falls by two hundredths after the latter
BATCH_SIZE = 128
REPORT_STEPS = 500
LEARNING_RATE, WEIGHT_DECAY = 3e-3, 1e-4
CALIBRATED = 4000  # trips that are drawn to compare


def fit_offsets(
    noise: OffsetDensity,
    samples: Samples,
    *,
    seed: int,
    report: Callable[[dict], None],
    seconds: float | None = None,
) -> None:
    """Fit a model of offsets to samples and report its mean negative log-likelihood every REPORT_STEPS steps.

    With `seconds` it ends when they are over, if that is earlier; calibration comes after.
    """
    task = Task(
        noise,
        adamw(noise.parameters(), LEARNING_RATE, WEIGHT_DECAY),
        samples.points,
        lambda rows, device: _collate(samples, rows, device),
        lambda model, batch: {"loss": model.loss(*batch)},
        lambda lap: {"offset": round(lap.mean("loss"), 4), "offset_steps": lap.step},
    )
    steps = min(max(EPOCHS * -(-len(samples) // BATCH_SIZE), MIN_STEPS), MAX_STEPS)
    minutes = None if seconds is None else seconds / 60
    plan = TrainingPlan(BATCH_SIZE, seed, steps=steps, minutes=minutes, log_steps=REPORT_STEPS)
    with distributed.alone():
        TrainingLoop(task, plan, report).run()
    noise.eval()
    _calibrate(noise, samples, np.random.default_rng([seed, 1]))


def _calibrate(noise: OffsetDensity, samples: Samples, generator: np.random.Generator) -> None:
    chosen = np.sort(generator.permutation(len(samples))[:CALIBRATED])
    device, drawn, real = next(noise.parameters()).device, [], []
    order = chosen[np.argsort(samples.points[chosen], kind="stable")]
    for at in range(0, len(order), BATCH_SIZE):
        movement, offset_m, mask = _collate(samples, order[at : at + BATCH_SIZE], device)
        uniform = torch.from_numpy(generator.random(mask.shape, dtype=np.float32)).to(device)
        normal = torch.from_numpy(generator.standard_normal((*mask.shape, 2), dtype=np.float32)).to(device)
        drawn.append(noise.draw_uncalibrated(movement, uniform, normal)[mask][:, 1])
        real.append(offset_m[mask][:, 1])
    noise.calibrate(torch.cat(drawn), torch.cat(real))


def _collate(samples: Samples, rows: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return movements [B, T, 4], offsets in metres [B, T, 2] and which points are real [B, T]."""
    points = samples.points[rows]
    width, first = int(points.max()), samples.first_point
    mask = torch.arange(width)[None] < torch.from_numpy(points)[:, None]
    along_m, turn = pad(samples.along_m, first, rows, width), pad(samples.turn, first, rows, width)
    last_m = along_m.gather(1, torch.from_numpy(points - 1)[:, None])
    along_m = torch.where(mask, along_m, last_m)  # as the decoder says it of padding: no step beyond the last point
    offset_m = pad(samples.offset_m, first, rows, width)
    movement = movement_of(along_m, turn, torch.from_numpy(samples.interval_s[rows]))
    return movement.to(device), offset_m.to(device), mask.to(device)
