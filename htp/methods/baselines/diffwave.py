"""DiffWave (Kong et al. 2021): diffusion by a stack of dilated convolutions, made for audio, here over points.

The stack is the published one: gated convolutions, residuals over the root of 2, skips summed. Ours, as HTP does not
say how it tailored it: 2 channels in and out, 16 layers whose dilation goes round from 1 to 128, and the schedule,
training and sampler of DiffTraj. The original's own count is `diffusion_steps=50` with the sampler "ddpm". As HTP
describes it, it is told nothing; with `conditioned` the attributes of DiffTraj enter each layer where the spectrogram
did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from htp.methods.baselines.attributes import Attributes
from htp.methods.baselines.baseline import Baseline, BaselineConfig, DiffusionSampling
from htp.methods.baselines.diffusion import Schedule
from htp.methods.baselines.train import Training, TrainingStage
from htp.methods.baselines.unet1d import sinusoid

if TYPE_CHECKING:
    import numpy as np

    from htp.methods.baselines.data import AttributeBatch, Streams


@dataclass(frozen=True)
class DiffWaveConfig(BaselineConfig):
    """DiffWave over 200 points."""

    channels: int = 64
    layers: int = 16  # ours; 30 for audio
    cycle: int = 8  # dilation 2 to the power of 0 .. cycle - 1, ours; 10 for audio
    step_widths: tuple[int, int] = (128, 512)  # of the sines and of the layers that embed a step
    diffusion_steps: int = 500  # as DiffTraj; 50 for audio
    betas: tuple[float, float] = (1e-4, 0.05)
    conditioned: bool = False
    attribute_width: int = 64

    @classmethod
    def small(cls) -> DiffWaveConfig:
        """Return sizes for two cores: half the channels, 12 layers, 64 points, small batches (ours)."""
        return cls(length=64, batch_size=64, channels=32, layers=12, cycle=6, step_widths=(64, 128))


class DilatedLayer(nn.Module):
    """A gated convolution whose points lie `dilation` apart; its output goes on and to the skips."""

    def __init__(self, config: DiffWaveConfig, dilation: int) -> None:
        super().__init__()
        channels = config.channels
        self.step = nn.Linear(config.step_widths[1], channels)
        self.conv = nn.Conv1d(channels, 2 * channels, 3, padding=dilation, dilation=dilation)
        self.asked = nn.Linear(config.attribute_width, 2 * channels) if config.conditioned else None
        self.out = nn.Conv1d(channels, 2 * channels, 1)

    def forward(self, x: Tensor, step: Tensor, attributes: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return what goes on and what is skipped, [B, C, T] each."""
        h = self.conv(x + self.step(step)[:, :, None])
        if self.asked is not None:
            h = h + self.asked(attributes)[:, :, None]
        gate, value = h.chunk(2, dim=1)
        residual, skipped = self.out(gate.sigmoid() * value.tanh()).chunk(2, dim=1)
        return (x + residual) / 2.0**0.5, skipped


class DiffWaveNetwork(nn.Module):
    """Predict the noise in points."""

    def __init__(self, config: DiffWaveConfig) -> None:
        super().__init__()
        sines, width = config.step_widths
        self.sines, channels = sines, config.channels
        self.schedule = Schedule(config.diffusion_steps, *config.betas)
        self.step = nn.Sequential(nn.Linear(sines, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.attributes = Attributes(config.attribute_width, config.attribute_width) if config.conditioned else None
        self.enter = nn.Conv1d(2, channels, 1)
        self.layers = nn.ModuleList(DilatedLayer(config, 2 ** (at % config.cycle)) for at in range(config.layers))
        self.skipped, self.leave = nn.Conv1d(channels, channels, 1), nn.Conv1d(channels, 2, 1)
        nn.init.zeros_(self.leave.weight)

    def noise(self, x: Tensor, step: Tensor, wanted: AttributeBatch) -> Tensor:
        """Return the noise in points `x` [B, 2, L] at steps [B]."""
        told = self.step(sinusoid(step, self.sines))
        attributes = None if self.attributes is None else self.attributes.of(wanted)
        x, total = F.relu(self.enter(x)), 0.0
        for layer in self.layers:
            x, skipped = layer(x, told, attributes)
            total = total + skipped
        return self.leave(F.relu(self.skipped(total / len(self.layers) ** 0.5)))


class DiffWave(Baseline[DiffWaveConfig, DiffWaveNetwork]):
    """Diffusion over points by dilated convolutions."""

    name = "diffwave"
    config_type = DiffWaveConfig
    network_type = DiffWaveNetwork

    def _train(self, points: Tensor, wanted: AttributeBatch, training: Training) -> None:
        network = self.model
        optimizer = torch.optim.AdamW(network.parameters(), self.config.learning_rate)

        def loss(rows: np.ndarray, _: float) -> Tensor:
            x, asked = points[rows].to(self.device), wanted.rows(rows, self.device)
            return network.schedule.loss(lambda x, t: network.noise(x, t, asked), x)

        stage = TrainingStage("diffusion", self.config.epochs, self.config.batch_size)
        training.run(stage, len(points), optimizer, loss)

    def _draw(self, wanted: AttributeBatch, streams: Streams, sampling: DiffusionSampling) -> Tensor:
        network = self.model
        shape = (2, self.config.length)
        return network.schedule.sample(lambda x, t: network.noise(x, t, wanted), streams, shape, sampling)
