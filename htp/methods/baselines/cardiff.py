"""Cardiff (2025): diffusion over roads, then over points that look at the roads.

Three networks: the segment autoencoder, trained first and then frozen; a transformer that takes noise out of a route's
latent tokens; a UNet that takes noise out of points while it looks at the tokens. The latter two are trained at once.
While it is trained, the UNet sees tokens with some noise and is told how much; in sampling they are clean and it is
told a fifth, as published. Trips have 256 points; no guidance.

Ours: generation is given the tokens of the road that is asked for, as HTP and ControlTraj are; with `own_roads` the
first stage makes them up, as published. Start and end are cells of 16 × 16 in place of the release's 1,015 numbered
places, and the two numbers are distance and duration; the "structure loss", off as published, is left out. Gradients
are not clipped: the published call comes after the step and does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
import torch
from torch import Tensor, nn

from htp.methods.baselines.attention import attend
from htp.methods.baselines.attributes import WideDeep
from htp.methods.baselines.baseline import Baseline, BaselineConfig, DiffusionSampling
from htp.methods.baselines.data import CELLS, SLOTS
from htp.methods.baselines.diffusion import Schedule
from htp.methods.baselines.segments import SPECIALS, SegmentAutoencoder, SegmentShape, numbered
from htp.methods.baselines.train import Training, TrainingStage
from htp.methods.baselines.unet1d import StepEmbedding, UNet1d, UNetShape, sinusoid

if TYPE_CHECKING:
    from htp.city.network import City
    from htp.methods.baselines.data import AttributeBatch, Streams

TOLD_NOISE = 0.2  # of all steps: the noise that sampling says is in the clean tokens
LONG_SLOTS = 2  # departure slots of ten minutes in place of five
WARM_UP = 0.05  # share of the autoencoder's training over which its learning rate rises: 5,000 of 100,000 steps


@dataclass(frozen=True)
class CardiffConfig(BaselineConfig):
    """The published sizes of Cardiff."""

    length: int = 256
    batch_size: int = 512
    epochs: int = 500
    learning_rate: float = 1e-4
    base: int = 128
    multipliers: tuple[int, ...] = (1, 1, 2, 2)
    groups: int = 32  # of the norms
    attended: tuple[int, ...] = (0, 1, 2)
    time_width: int = 512
    attribute_width: int = 256
    diffusion_steps: int = 1000
    betas: tuple[float, float] = (1e-4, 0.02)
    road_depth: int = 8
    road_width: int = 256
    road_heads: int = 8
    segment_width: int = 256
    segment_layers: tuple[int, int] = (4, 2)
    segment_feed_forward: int = 4096
    longest: int = 128  # roads of a route and the marks of its ends
    tokens: int = 32
    token_width: int = 128
    gathering_layers: int = 3
    candidates: int | None = None
    segment_epochs: int = 500  # published as 100,000 steps
    segment_learning_rate: float = 1e-5
    segment_share: float = 0.3  # of the seconds of a training, ours

    @classmethod
    def small(cls) -> CardiffConfig:
        """Return sizes for two cores: 32 channels, 64 points, narrower and shallower transformers (ours)."""
        points = cls(length=64, batch_size=64, base=32, groups=8, time_width=128, attribute_width=64)
        sizes = {"road_depth": 3, "road_width": 128, "road_heads": 4, "segment_width": 128, "segment_layers": (2, 1)}
        more = {"segment_feed_forward": 512, "tokens": 16, "token_width": 64, "gathering_layers": 2}
        training = {"candidates": 1024, "segment_learning_rate": 1e-4}
        return cls(**vars(points) | sizes | more | training)

    @property
    def segments(self) -> SegmentShape:
        """The sizes of the autoencoder."""
        return SegmentShape(
            self.segment_width,
            self.segment_layers,
            feed_forward=self.segment_feed_forward,
            longest=self.longest,
            tokens=self.tokens,
            token_width=self.token_width,
            gathering_layers=self.gathering_layers,
            candidates=self.candidates,
        )


class ModulatedLayer(nn.Module):
    """A transformer layer whose norms and shortcuts are scaled by the condition; at first it changes nothing."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first_norm, self.second_norm = (nn.LayerNorm(width, elementwise_affine=False) for _ in range(2))
        self.query_key_value, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.modulation = _zeros(nn.Linear(width, 6 * width))

    def forward(self, h: Tensor, told: Tensor) -> Tensor:
        """Return tokens [B, K, D] from `h` and the condition `told` [B, D]."""
        shift, scale, gate, shift_2, scale_2, gate_2 = self.modulation(told)[:, None].chunk(6, dim=-1)
        parts = self.query_key_value(self.first_norm(h) * (1 + scale) + shift).chunk(3, dim=-1)
        h = h + gate * self.out(attend(*parts, heads=self.heads))
        return h + gate_2 * self.feed_forward(self.second_norm(h) * (1 + scale_2) + shift_2)


class RoadDiT(nn.Module):
    """The diffusion transformer: predict the noise in latent tokens of routes, told steps and attributes."""

    positions: Tensor  # [K, D]

    def __init__(self, tokens: int, token_width: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.register_buffer("positions", sinusoid(torch.arange(tokens), width), persistent=False)
        self.enter = nn.Sequential(nn.Linear(token_width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
        self.layers = nn.ModuleList(ModulatedLayer(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation, self.leave = _zeros(nn.Linear(width, 2 * width)), _zeros(nn.Linear(width, token_width))

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """Return the noise in tokens `x` [B, K, E], told [B, D]."""
        h, told = self.enter(x) + self.positions, nn.functional.silu(told)
        for layer in self.layers:
            h = layer(h, told)
        shift, scale = self.modulation(told)[:, None].chunk(2, dim=-1)
        return self.leave(self.norm(h) * (1 + scale) + shift)


class CardiffNetwork(nn.Module):
    """The three networks and their embeddings of steps and attributes."""

    def __init__(self, config: CardiffConfig, city: City) -> None:
        super().__init__()
        self.schedule = Schedule(config.diffusion_steps, *config.betas)
        self.segments = SegmentAutoencoder(config.segments, places_of(city))
        tokens, width = (config.tokens, config.token_width), config.road_width
        self.roads = RoadDiT(*tokens, width, config.road_depth, config.road_heads)
        self.road_step, self.road_asked = StepEmbedding(width, width), _attributes(config, width)
        shape = UNetShape(
            config.base,
            config.multipliers,
            config.time_width,
            groups=config.groups,
            attended=config.attended,
            context_width=config.token_width,
        )
        self.unet, self.asked = UNet1d(shape), _attributes(config, config.time_width)
        self.step, self.told_noise = (StepEmbedding(config.base, config.time_width) for _ in range(2))

    def road_noise(self, x: Tensor, step: Tensor, wanted: AttributeBatch) -> Tensor:
        """Return the noise in latent tokens `x` [B, K, E] at steps [B]."""
        return self.roads(x, self.road_step(step) + _told(self.road_asked, wanted))

    def point_noise(self, x: Tensor, step: Tensor, wanted: AttributeBatch, tokens: Tensor, level: Tensor) -> Tensor:
        """Return the noise in points `x` [B, 2, L] at steps [B], looking at tokens whose noise is said to be `level`.

        `tokens` [B, K, E], `level` [B] is a step.
        """
        return self.unet(x, self.step(step) + self.told_noise(level) + _told(self.asked, wanted), tokens)

    def loss(self, x: Tensor, roads: Tensor, wanted: AttributeBatch) -> Tensor:
        """Return the losses of both stages added up for points [B, 2, L] and numbered roads [B, S], a scalar."""
        with torch.no_grad():
            tokens = self.segments.encode(roads)
        level = torch.randint(len(self.schedule), (1,), device=x.device).expand(len(x))  # one for the batch, published
        seen = self.schedule.noised(tokens, level, torch.randn_like(tokens))
        road_loss = self.schedule.loss(lambda x, t: self.road_noise(x, t, wanted), tokens)
        return road_loss + self.schedule.loss(lambda x, t: self.point_noise(x, t, wanted, seen, level), x)


class Cardiff(Baseline[CardiffConfig, CardiffNetwork]):
    """Diffusion over roads, then over points."""

    name = "cardiff"
    config_type = CardiffConfig

    def _build(self) -> CardiffNetwork:
        return CardiffNetwork(self.config, self.city)

    def _train(self, points: Tensor, wanted: AttributeBatch, training: Training) -> None:
        network, config = self.model, self.config
        roads = numbered(wanted.roads, config.longest)
        self._train_segments(network.segments, roads, training)
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        optimizer = torch.optim.Adam(weights, lr=config.learning_rate)

        def loss(rows: np.ndarray, _: float) -> Tensor:
            x, asked = points[rows].to(self.device), wanted.rows(rows, self.device)
            return network.loss(x, _trimmed(roads[rows]).to(self.device), asked)

        training.run(TrainingStage("diffusion", config.epochs, config.batch_size), len(points), optimizer, loss)

    def _train_segments(self, segments: SegmentAutoencoder, roads: Tensor, training: Training) -> None:
        config = self.config
        optimizer = torch.optim.AdamW(segments.parameters(), config.segment_learning_rate)
        stage = TrainingStage(
            *("segments", config.segment_epochs, config.batch_size, config.segment_share),
            rate=lambda share: min((share + 1e-3) / WARM_UP, (1.0 - share) / (1.0 - WARM_UP)),  # linear, as published
        )
        training.run(stage, len(roads), optimizer, lambda rows, _: segments.loss(_trimmed(roads[rows]).to(self.device)))
        segments.requires_grad_(requires_grad=False).eval()

    def _draw(self, wanted: AttributeBatch, streams: Streams, sampling: DiffusionSampling) -> Tensor:
        network, config = self.model, self.config
        if sampling.own_roads:
            shape = (config.tokens, config.token_width)
            tokens = network.schedule.sample(lambda x, t: network.road_noise(x, t, wanted), streams, shape, sampling)
        else:
            tokens = network.segments.encode(numbered(wanted.roads, config.longest).to(self.device))
        level = torch.full((len(wanted),), int(TOLD_NOISE * config.diffusion_steps), device=self.device)
        shape = (2, config.length)
        return network.schedule.sample(
            lambda x, t: network.point_noise(x, t, wanted, tokens, level), streams, shape, sampling
        )


def places_of(city: City) -> Tensor:
    """Return the middle of each road, -1 to 1 over the city's bounds, after a row 0 for each special: [V + 3, 2]."""
    middle = shapely.get_coordinates(
        shapely.line_interpolate_point(city.roads.geometry.to_numpy(), 0.5, normalized=True)
    )
    low, high = np.array(city.bounds[:2]), np.array(city.bounds[2:])
    places = (middle - low) / np.maximum(high - low, 1e-9) * 2.0 - 1.0
    return torch.from_numpy(np.vstack([np.zeros((SPECIALS, 2)), places]).astype(np.float32))


def _attributes(config: CardiffConfig, width: int) -> WideDeep:
    return WideDeep(2, (SLOTS // LONG_SLOTS, CELLS, CELLS), config.attribute_width, width)


def _told(attributes: WideDeep, wanted: AttributeBatch) -> Tensor:
    categories = torch.cat([wanted.slots[:, None] // LONG_SLOTS, wanted.cells], dim=1)
    return attributes(wanted.numbers[:, :2], categories)


def _trimmed(roads: Tensor) -> Tensor:
    """Return numbered roads without columns that are all padding."""
    return roads[:, : int((roads != 0).sum(dim=1).max())]


def _zeros(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
