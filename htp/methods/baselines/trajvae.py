"""TrajVAE (Chen et al. 2021): an LSTM reads a trip into a Gaussian code, another writes points from it.

No public code gives its sizes; HTP says "LSTM combined with VAE". Ours: all sizes, the position told to the decoder at
every point, and the weight of the divergence, which rises over the first tenth of the training lest the code be
ignored. As HTP describes it, it is told nothing; with `conditioned` the decoder is told the attributes of DiffTraj.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from htp.methods.baselines.attributes import Attributes
from htp.methods.baselines.baseline import Baseline, BaselineConfig, DiffusionSampling
from htp.methods.baselines.train import Training, TrainingStage
from htp.methods.baselines.unet1d import sinusoid

if TYPE_CHECKING:
    import numpy as np

    from htp.methods.baselines.data import AttributeBatch, Streams

WARM_UP = 0.1  # share of the training over which the divergence gains its weight: 10 of 100 epochs


@dataclass(frozen=True)
class TrajVAEConfig(BaselineConfig):
    """TrajVAE over 200 points, 1.8 million weights (ours)."""

    batch_size: int = 512
    epochs: int = 100
    learning_rate: float = 1e-3
    hidden: int = 256
    layers: int = 2  # of each LSTM
    code: int = 128
    position_width: int = 16
    divergence: float = 1e-2  # weight of the KL divergence, beta
    conditioned: bool = False
    attribute_width: int = 64

    @classmethod
    def small(cls) -> TrajVAEConfig:
        """Return sizes for two cores: half the width, a quarter of the code, 64 points (ours)."""
        return cls(length=64, batch_size=64, hidden=128, code=32)


class LSTMEncoder(nn.Module):
    """Points to the last state of an LSTM, and by a linear layer to `out` numbers."""

    def __init__(self, hidden: int, layers: int, out: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2, hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, out)

    def forward(self, points: Tensor) -> Tensor:
        """Return [B, out] from points [B, 2, L]."""
        _, (last, _) = self.lstm(points.transpose(1, 2))
        return self.head(last[-1])


class LSTMDecoder(nn.Module):
    """A code to points: the LSTM is told the code and the position at every point, never its own output."""

    def __init__(self, hidden: int, layers: int, code: int, position_width: int) -> None:
        super().__init__()
        self.position_width = position_width
        self.lstm = nn.LSTM(code + position_width, hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, 2)

    def forward(self, code: Tensor, length: int) -> Tensor:
        """Return points [B, 2, length] from codes [B, Z]."""
        positions = sinusoid(torch.arange(length, device=code.device), self.position_width)
        told = torch.cat([code[:, None].expand(-1, length, -1), positions.expand(len(code), -1, -1)], dim=-1)
        return self.head(self.lstm(told)[0]).transpose(1, 2)


class TrajVAENetwork(nn.Module):
    """Encoder, decoder and, where it is told them, the embedding of attributes."""

    def __init__(self, config: TrajVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = LSTMEncoder(config.hidden, config.layers, 2 * config.code)
        self.attributes = Attributes(config.attribute_width, config.attribute_width) if config.conditioned else None
        told = config.code + (config.attribute_width if config.conditioned else 0)
        self.decoder = LSTMDecoder(config.hidden, config.layers, told, config.position_width)

    def decode(self, code: Tensor, wanted: AttributeBatch) -> Tensor:
        """Return points [B, 2, L] from codes [B, Z] and, where it is told them, conditions."""
        if self.attributes is not None:
            code = torch.cat([code, self.attributes.of(wanted)], dim=1)
        return self.decoder(code, self.config.length)

    def loss(self, points: Tensor, wanted: AttributeBatch, share: float) -> Tensor:
        """Return squared error a point plus weighted divergence, a scalar; `share` of the training is over."""
        mean, log_variance = self.encoder(points).chunk(2, dim=1)
        code = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        error = (self.decode(code, wanted) - points).square().sum(dim=1).mean()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(dim=1).mean()
        return error + self.config.divergence * min(share / WARM_UP, 1.0) * divergence


class TrajVAE(Baseline[TrajVAEConfig, TrajVAENetwork]):
    """A variational autoencoder of LSTMs."""

    name = "trajvae"
    config_type = TrajVAEConfig
    network_type = TrajVAENetwork

    def _train(self, points: Tensor, wanted: AttributeBatch, training: Training) -> None:
        network = self.model
        optimizer = torch.optim.Adam(network.parameters(), lr=self.config.learning_rate)

        def loss(rows: np.ndarray, share: float) -> Tensor:
            return network.loss(points[rows].to(self.device), wanted.rows(rows, self.device), share)

        stage = TrainingStage("autoencoder", self.config.epochs, self.config.batch_size, half=False)
        training.run(stage, len(points), optimizer, loss)

    def _draw(self, wanted: AttributeBatch, streams: Streams, sampling: DiffusionSampling) -> Tensor:  # noqa: ARG002  no steps here
        network = self.model
        return network.decode(streams.normal(self.config.code), wanted)
