"""Train the model of offsets, and calibrate it on trips drawn from it; a few minutes after the RQ-VAE's training."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from htp.compute.schedule import rate_at
from htp.tokenizer.batch import pad
from htp.tokenizer.offsets import movement_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp.tokenizer.features import Samples
    from htp.tokenizer.offsets import OffsetDensity

EPOCHS, MIN_STEPS = 16, 200  # ours: so many epochs, of a few trips so many steps
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
    generator, started = np.random.default_rng([seed, 1]), time.monotonic()
    steps = max(EPOCHS * -(-len(samples) // BATCH_SIZE), MIN_STEPS)
    optimizer = torch.optim.AdamW(noise.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    noise.train()
    losses: list[float] = []
    waiting: list[np.ndarray] = []
    while len(losses) < steps:
        late = (time.monotonic() - started) / seconds if seconds else 0.0
        if losses and late >= 1.0:
            break
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * rate_at(min(max(len(losses) / steps, late), 1.0))
        waiting = waiting or _batches(samples, generator)
        losses.append(_step(noise, optimizer, _collate(samples, waiting.pop(0), next(noise.parameters()).device)))
        if len(losses) % REPORT_STEPS == 0:
            _report(losses, report)
    if len(losses) % REPORT_STEPS:
        _report(losses, report)
    noise.eval()
    _calibrate(noise, samples, generator)


def _step(noise: OffsetDensity, optimizer: torch.optim.Optimizer, batch: tuple[Tensor, Tensor, Tensor]) -> float:
    loss = noise.loss(*batch)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(noise.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _report(losses: list[float], report: Callable[[dict], None]) -> None:
    report({"offset": round(float(np.mean(losses[-REPORT_STEPS:])), 4), "offset_steps": len(losses)})


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


def _batches(samples: Samples, generator: np.random.Generator) -> list[np.ndarray]:
    """Return the rows of batches of trips of similar length, in random order."""
    order = np.argsort(samples.points * generator.uniform(0.9, 1.1, len(samples)))
    batches = [order[at : at + BATCH_SIZE] for at in range(0, len(order), BATCH_SIZE)]
    generator.shuffle(batches)
    return batches


def _collate(samples: Samples, rows: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return movements [B, T, 4], offsets in metres [B, T, 2] and which points are real [B, T]."""
    points = samples.points[rows]
    width, first = int(points.max()), samples.first_point
    mask = torch.arange(width)[None] < torch.from_numpy(points)[:, None]
    along_m, turn = pad(samples.along_m, first, rows, width), pad(samples.turn, first, rows, width)
    last_m = along_m.gather(1, torch.from_numpy(points - 1)[:, None])
    along_m = torch.where(mask, along_m, last_m)  # as the decoder says it of padding: no step beyond the last point
    offset_m = pad(samples.offset_m, first, rows, width)
    return movement_of(along_m, turn).to(device), offset_m.to(device), mask.to(device)
