"""TrajGAN (Liu et al. 2018): an autoencoder makes codes of trips, a generator learns to make such codes out of noise.

The source is a vision paper without code or sizes; HTP describes encoder, decoder, generator and discriminator. Ours:
the LSTMs of TrajVAE as autoencoder, trained first and then frozen; a generator and a critic of three layers; a
Wasserstein loss whose gradient penalty is one-sided, five critic steps a generator step (the sizes of the benchmark
SoK-TrajGen where it gives any). As HTP describes it, it is told nothing; with `conditioned` generator and critic are
told the attributes of DiffTraj.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from htp.methods.baselines.attributes import Attributes
from htp.methods.baselines.baseline import Baseline, BaselineConfig, DiffusionSampling
from htp.methods.baselines.train import Training, TrainingStage
from htp.methods.baselines.trajvae import LSTMDecoder, LSTMEncoder

if TYPE_CHECKING:
    import numpy as np

    from htp.methods.baselines.data import AttributeBatch, Streams

SLOPE = 0.2  # of the leaky ReLUs


@dataclass(frozen=True)
class TrajGANConfig(BaselineConfig):
    """TrajGAN over 200 points (ours)."""

    batch_size: int = 256
    epochs: int = 200  # of generator and critic
    learning_rate: float = 1e-4  # of the generator
    critic_learning_rate: float = 3e-4
    critic_steps: int = 5  # a generator step
    penalty: float = 10.0  # weight of the gradient penalty, lambda
    autoencoder_epochs: int = 50
    autoencoder_learning_rate: float = 1e-3
    autoencoder_share: float = 0.6  # of the seconds of a training: the LSTMs are the slow part
    hidden: int = 256  # of the LSTMs
    layers: int = 2
    code: int = 128  # and of the noise
    position_width: int = 16
    wide: int = 512  # layers of generator and critic
    conditioned: bool = False
    attribute_width: int = 64

    @classmethod
    def small(cls) -> TrajGANConfig:
        """Return sizes for two cores: half the width, a quarter of the code, 64 points (ours)."""
        return cls(length=64, batch_size=64, hidden=128, code=32, wide=256)


class Layers(nn.Module):
    """Three layers over codes or noise and, where they are told them, attributes."""

    def __init__(self, config: TrajGANConfig, out: int) -> None:
        super().__init__()
        self.attributes = Attributes(config.attribute_width, config.attribute_width) if config.conditioned else None
        told = config.code + (config.attribute_width if config.conditioned else 0)
        self.first, self.second = nn.Linear(told, config.wide), nn.Linear(config.wide, config.wide)
        self.third = nn.Linear(config.wide, out)

    def forward(self, x: Tensor, wanted: AttributeBatch) -> Tensor:
        """Return [B, out] from `x` [B, Z]."""
        if self.attributes is not None:
            x = torch.cat([x, self.attributes.of(wanted)], dim=1)
        h = F.leaky_relu(self.first(x), SLOPE)
        return self.third(F.leaky_relu(self.second(h), SLOPE))


class TrajGANNetwork(nn.Module):
    """Encoder, decoder, generator and critic."""

    def __init__(self, config: TrajGANConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = LSTMEncoder(config.hidden, config.layers, config.code)
        self.decoder = LSTMDecoder(config.hidden, config.layers, config.code, config.position_width)
        self.generator, self.critic = Layers(config, config.code), Layers(config, 1)

    def encode(self, points: Tensor) -> Tensor:
        """Return the codes [B, Z] of points [B, 2, L], each of mean 0 and deviation 1."""
        return F.layer_norm(self.encoder(points), (self.config.code,))

    def invent(self, noise: Tensor, wanted: AttributeBatch) -> Tensor:
        """Return codes [B, Z] made of noise [B, Z]."""
        return F.layer_norm(self.generator(noise, wanted), (self.config.code,))

    def reconstruction_loss(self, points: Tensor) -> Tensor:
        """Return the mean squared error of points through the autoencoder, a scalar."""
        return (self.decoder(self.encode(points), self.config.length) - points).square().mean()

    def critic_loss(self, codes: Tensor, wanted: AttributeBatch) -> Tensor:
        """Return how much better invented codes please the critic than true ones [B, Z], plus the penalty, a scalar."""
        invented = self.invent(torch.randn_like(codes), wanted).detach()
        between = torch.lerp(codes, invented, torch.rand(len(codes), 1, device=codes.device)).requires_grad_()
        (slope,) = torch.autograd.grad(self.critic(between, wanted).sum(), between, create_graph=True)
        penalty = F.relu(slope.norm(dim=1) - 1.0).square().mean()
        gain = self.critic(invented, wanted).mean() - self.critic(codes, wanted).mean()
        return gain + self.config.penalty * penalty

    def generator_loss(self, codes: Tensor, wanted: AttributeBatch) -> Tensor:
        """Return how little invented codes please the critic, a scalar; of `codes` [B, Z] only the shape counts."""
        return -self.critic(self.invent(torch.randn_like(codes), wanted), wanted).mean()


class TrajGAN(Baseline[TrajGANConfig, TrajGANNetwork]):
    """A generative adversarial network over the codes of an autoencoder."""

    name = "trajgan"
    config_type = TrajGANConfig
    network_type = TrajGANNetwork

    def _train(self, points: Tensor, wanted: AttributeBatch, training: Training) -> None:
        network = self.model
        self._train_autoencoder(network, points, training)
        size = self.config.batch_size
        with torch.no_grad():
            codes = torch.cat([network.encode(part.to(self.device)) for part in points.split(size)])
        critic = self._adversary(network.critic, self.config.critic_learning_rate)
        generator = self._adversary(network.generator, self.config.learning_rate)
        steps = 0

        def loss(rows: np.ndarray, _: float) -> Tensor:
            nonlocal steps
            true, asked = codes[torch.from_numpy(rows).to(self.device)], wanted.rows(rows, self.device)
            if steps and steps % self.config.critic_steps == 0:  # of the critic, before this one
                generator.zero_grad()
                network.generator_loss(true, asked).backward()
                generator.step()
            steps += 1
            return network.critic_loss(true, asked)

        training.run(TrainingStage("adversaries", self.config.epochs, size, half=False), len(points), critic, loss)

    def _train_autoencoder(self, network: TrajGANNetwork, points: Tensor, training: Training) -> None:
        weights = [*network.encoder.parameters(), *network.decoder.parameters()]
        optimizer = torch.optim.Adam(weights, lr=self.config.autoencoder_learning_rate)

        def loss(rows: np.ndarray, _: float) -> Tensor:
            return network.reconstruction_loss(points[rows].to(self.device))

        config = self.config
        sizes = config.autoencoder_epochs, config.batch_size, config.autoencoder_share
        training.run(TrainingStage("autoencoder", *sizes, half=False), len(points), optimizer, loss)

    @staticmethod
    def _adversary(layers: Layers, rate: float) -> torch.optim.AdamW:
        return torch.optim.AdamW(layers.parameters(), lr=rate, betas=(0.5, 0.999))

    def _draw(self, wanted: AttributeBatch, streams: Streams, sampling: DiffusionSampling) -> Tensor:  # noqa: ARG002  no steps here
        network = self.model
        codes = network.invent(streams.normal(self.config.code), wanted)
        return network.decoder(codes, self.config.length)
