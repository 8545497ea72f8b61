"""DiffTraj (Zhu et al. 2023): a UNet that takes noise out of whole trips, guided by attributes; it knows no roads.

As published: the eight attributes of `htp.methods.baselines.data`; two embeddings of attributes, the second of which
is only ever told zeros; the guided noise c + w (c - u) of both is what the *loss* compares, too, and no attributes are
dropped in training. `guidance="textbook"` is classifier-free guidance as it is usually done. Trips have 200 points;
the raw weights are the ones that are used (a moving average is kept by the published code and not saved, so it is left
out).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from htp.methods.baselines.attributes import Attributes
from htp.methods.baselines.baseline import Baseline, BaselineConfig, DiffusionSampling
from htp.methods.baselines.diffusion import Schedule
from htp.methods.baselines.train import Training, TrainingStage
from htp.methods.baselines.unet1d import StepEmbedding, UNet1d, UNetShape

if TYPE_CHECKING:
    import numpy as np

    from htp.methods.baselines.data import AttributeBatch, Streams

DROPPED = 0.1  # share of trips whose attributes textbook guidance drops in training


@dataclass(frozen=True)
class DiffTrajConfig(BaselineConfig):
    """The published sizes of DiffTraj."""

    base: int = 128
    multipliers: tuple[int, ...] = (1, 2, 2, 2)
    time_width: int = 512  # of the embedding of step and attributes
    attribute_width: int = 256  # of a row of the tables of slots and cells
    dropout: float = 0.1
    groups: int = 32  # of the norms
    diffusion_steps: int = 500
    betas: tuple[float, float] = (1e-4, 0.05)
    guidance: str = "published"  # or "textbook"
    guidance_weight: float = 3.0  # w

    def __post_init__(self) -> None:
        """Check the choice that is a name."""
        if self.guidance not in ("published", "textbook"):
            raise ValueError(f"guidance is {self.guidance!r}; choose 'published' or 'textbook'")

    @classmethod
    def small(cls) -> DiffTrajConfig:
        """Return sizes for two cores: a fifteenth of the weights, 64 points, small batches (ours)."""
        return cls(length=64, batch_size=64, base=32, groups=8, time_width=128, attribute_width=64)


class DiffTrajNetwork(nn.Module):
    """The UNet, the embedding of steps and both embeddings of attributes."""

    def __init__(self, config: DiffTrajConfig) -> None:
        super().__init__()
        self.config = config
        self.schedule = Schedule(config.diffusion_steps, *config.betas)
        self.unet = UNet1d(UNetShape(config.base, config.multipliers, config.time_width, config.dropout, config.groups))
        self.step = StepEmbedding(config.base, config.time_width)
        self.asked, self.unasked = (Attributes(config.attribute_width, config.time_width) for _ in range(2))

    def guided(self, x: Tensor, step: Tensor, wanted: AttributeBatch) -> Tensor:
        """Return the guided noise in points `x` [B, 2, L] at steps [B]."""
        told = self.step(step)
        conditional = self.unet(x, told + self.asked.of(wanted))
        unconditional = self.unet(x, told + self.unasked.of_nothing(len(x)))
        return conditional + self.config.guidance_weight * (conditional - unconditional)

    def dropping(self, x: Tensor, step: Tensor, wanted: AttributeBatch) -> Tensor:
        """Return the noise in points `x` [B, 2, L], the attributes of some of the trips dropped at random."""
        dropped = torch.rand(len(x), 1, device=x.device) < DROPPED
        attributes = torch.where(dropped, self.unasked.of_nothing(len(x)), self.asked.of(wanted))
        return self.unet(x, self.step(step) + attributes)


class DiffTraj(Baseline[DiffTrajConfig, DiffTrajNetwork]):
    """Diffusion over points, guided by attributes."""

    name = "difftraj"
    config_type = DiffTrajConfig
    network_type = DiffTrajNetwork

    def _train(self, points: Tensor, wanted: AttributeBatch, training: Training) -> None:
        network = self.model
        optimizer = torch.optim.AdamW(network.parameters(), self.config.learning_rate)
        predict = network.guided if self.config.guidance == "published" else network.dropping

        def loss(rows: np.ndarray, _: float) -> Tensor:
            x, asked = points[rows].to(self.device), wanted.rows(rows, self.device)
            return network.schedule.loss(lambda x, t: predict(x, t, asked), x)

        stage = TrainingStage("diffusion", self.config.epochs, self.config.batch_size)
        training.run(stage, len(points), optimizer, loss)

    def _draw(self, wanted: AttributeBatch, streams: Streams, sampling: DiffusionSampling) -> Tensor:
        network = self.model
        shape = (2, self.config.length)
        return network.schedule.sample(lambda x, t: network.guided(x, t, wanted), streams, shape, sampling)
