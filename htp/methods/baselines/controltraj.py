"""ControlTraj (Zhu et al. 2024): a UNet that looks at the road while it takes noise out of trips.

RoadMAE is trained first and then frozen; the UNet's transformers attend to its 40 tokens and to one more of the trip's
six attributes (no cells). No guidance. Trips have 256 points. Ours, where the published code is silent: how the road is
laid out (see `htp.methods.baselines.roadmae`), RoadMAE's training, its share of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from htp.methods.baselines.attributes import Attributes
from htp.methods.baselines.baseline import Baseline, BaselineConfig, DiffusionSampling
from htp.methods.baselines.data import polylines
from htp.methods.baselines.diffusion import Schedule
from htp.methods.baselines.roadmae import RoadMAE, RoadShape
from htp.methods.baselines.train import Training, TrainingStage
from htp.methods.baselines.unet1d import StepEmbedding, UNet1d, UNetShape

if TYPE_CHECKING:
    import numpy as np

    from htp.methods.baselines.data import AttributeBatch, Streams


@dataclass(frozen=True)
class ControlTrajConfig(BaselineConfig):
    """The published sizes of ControlTraj."""

    length: int = 256
    batch_size: int = 768
    base: int = 64
    multipliers: tuple[int, ...] = (1, 2, 2, 2)
    groups: int = 32  # of the norms
    attended: tuple[int, ...] = (0, 1, 2)  # levels with transformers
    time_width: int = 256
    attribute_width: int = 256  # of a row of the table of slots
    diffusion_steps: int = 500
    betas: tuple[float, float] = (1e-4, 0.05)
    road_points: int = 200
    road_width: int = 128
    road_layers: tuple[int, int] = (8, 4)  # of RoadMAE's encoder and decoder
    road_epochs: int = 100  # ours
    road_learning_rate: float = 1.5e-4  # ours
    road_share: float = 0.15  # of the seconds of a training, ours

    @classmethod
    def small(cls) -> ControlTrajConfig:
        """Return sizes for two cores: about a fifth of the weights, 64 points, small batches (ours)."""
        sizes = {"base": 32, "groups": 16, "time_width": 128, "attribute_width": 64, "road_width": 64}
        return cls(length=64, batch_size=64, road_layers=(3, 1), **sizes)  # type: ignore[arg-type]

    @property
    def road(self) -> RoadShape:
        """The sizes of RoadMAE."""
        encoder, decoder = self.road_layers
        return RoadShape(self.road_points, width=self.road_width, encoder_layers=encoder, decoder_layers=decoder)


class ControlTrajNetwork(nn.Module):
    """RoadMAE, the UNet and the embeddings of steps and attributes."""

    def __init__(self, config: ControlTrajConfig) -> None:
        super().__init__()
        self.schedule = Schedule(config.diffusion_steps, *config.betas)
        self.roads = RoadMAE(config.road)
        shape = UNetShape(
            config.base,
            config.multipliers,
            config.time_width,
            groups=config.groups,
            attended=config.attended,
            context_width=config.road_width,
        )
        self.unet = UNet1d(shape)
        self.step = StepEmbedding(config.base, config.time_width)
        self.asked = Attributes(config.attribute_width, config.road_width, cells=False)

    def context(self, tokens: Tensor, wanted: AttributeBatch) -> Tensor:
        """Return what the transformers look at, [B, 41, D], from the tokens of roads [B, 40, D]."""
        return torch.cat([tokens, self.asked.of(wanted)[:, None].to(tokens.dtype)], dim=1)

    def noise(self, x: Tensor, step: Tensor, context: Tensor) -> Tensor:
        """Return the noise in points `x` [B, 2, L] at steps [B]."""
        return self.unet(x, self.step(step), context)


class ControlTraj(Baseline[ControlTrajConfig, ControlTrajNetwork]):
    """Diffusion over points that looks at the road."""

    name = "controltraj"
    config_type = ControlTrajConfig
    network_type = ControlTrajNetwork

    def _train(self, points: Tensor, wanted: AttributeBatch, training: Training) -> None:
        network, config = self.model, self.config
        lines = self._lines(wanted)
        self._train_roads(network.roads, lines, training)
        trained = nn.ModuleList([network.unet, network.step, network.asked])
        optimizer = torch.optim.AdamW(trained.parameters(), config.learning_rate)

        def loss(rows: np.ndarray, _: float) -> Tensor:
            with torch.no_grad():
                tokens = network.roads.encode(lines[rows].to(self.device))
            context = network.context(tokens, wanted.rows(rows, self.device))
            return network.schedule.loss(lambda x, t: network.noise(x, t, context), points[rows].to(self.device))

        training.run(TrainingStage("diffusion", config.epochs, config.batch_size), len(points), optimizer, loss)

    def _train_roads(self, roads: RoadMAE, lines: Tensor, training: Training) -> None:
        optimizer = torch.optim.AdamW(roads.parameters(), self.config.road_learning_rate)
        stage = TrainingStage("roads", self.config.road_epochs, self.config.batch_size, self.config.road_share)
        training.run(stage, len(lines), optimizer, lambda rows, _: roads.loss(lines[rows].to(self.device)))
        roads.requires_grad_(requires_grad=False).eval()

    def _draw(self, wanted: AttributeBatch, streams: Streams, sampling: DiffusionSampling) -> Tensor:
        network = self.model
        context = network.context(network.roads.encode(self._lines(wanted).to(self.device)), wanted)
        shape = (2, self.config.length)
        return network.schedule.sample(lambda x, t: network.noise(x, t, context), streams, shape, sampling)

    def _lines(self, wanted: AttributeBatch) -> Tensor:
        return polylines(self.city, wanted.roads, self.scale, self.config.road_points)
