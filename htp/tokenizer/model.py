"""Encode trips into travel patterns and decode patterns along a route: the RQ-VAE (paper §4.1, Figures 2 and 13).

Knows nothing of language models or of files. Shapes: [B, 8P, .] for points padded to whole patterns, [B, P, .] for
patterns.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from htp.tokenizer.blocks import WAVES, ConvBlock, Double, Halve, TransformerLayer, waves
from htp.tokenizer.features import ABSOLUTE_INPUTS, OFFSET_M, RELATIVE_INPUTS
from htp.tokenizer.increments import INCREMENTS, AnchoredEnds, Increments, PatternEnds, Span
from htp.tokenizer.offsets import OffsetDensity
from htp.tokenizer.quantizer import Quantizer
from htp.tokenizer.roads import RoadContext, RouteContext
from htp.tokenizer.steps import Known, StepDensity

if TYPE_CHECKING:
    from htp.config import TokenizerConfig
    from htp.tokenizer.batch import Batch, DecoderInputs


class Encoder(nn.Module):
    """Points to pattern embeddings: three halvings and a mid block (equation 1)."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        inputs = RELATIVE_INPUTS if config.inputs == "relative" else ABSOLUTE_INPUTS
        dims, head = config.dims, config.head_dim
        self.project = nn.Linear(inputs, dims[0])
        self.convs = nn.ModuleList([ConvBlock(dim) for dim in dims[:-1]])
        self.layers = nn.ModuleList([TransformerLayer(dim, head) for dim in dims[:-1]])
        self.halvings = nn.ModuleList([Halve(a, b) for a, b in pairwise(dims)])
        self.mid_conv, self.mid = ConvBlock(dims[-1]), TransformerLayer(dims[-1], head)
        self.norm = nn.LayerNorm(dims[-1])

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """Return pattern embeddings [B, P, d_e] of points [B, 8P, F]."""
        h = self.project(inputs) * mask[:, :, None]
        for conv, layer, halve in zip(self.convs, self.layers, self.halvings, strict=True):
            h, mask = halve(layer(conv(h, mask), mask), mask)
        return self.norm(self.mid(self.mid_conv(h, mask), mask))


class PatternDecoder(nn.Module):
    """Quantized patterns and roads to the places where each pattern begins and ends: the mid block of equation 6."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        dim = config.dims[-1]
        self.tell = nn.Linear(4 * WAVES + 4, dim)
        self.mid_conv = ConvBlock(dim)
        self.mid = nn.ModuleList([TransformerLayer(dim, config.head_dim, config.road_dim) for _ in range(1)])
        self.increments: Increments | PatternEnds = INCREMENTS[config.increments](config)
        self.anchored = isinstance(self.increments, AnchoredEnds)

    def forward(self, quantized: Tensor, roads: Tensor, routes: DecoderInputs) -> tuple[Tensor, Span | None]:
        """Return pattern embeddings [B, P, d_e] that know their roads, and the patterns' spans."""
        mask = routes.pattern_mask
        h = quantized + self.tell(self._conditions(routes))
        h = self.mid_conv(h * mask[:, :, None], mask)
        for layer in self.mid:
            h = layer(h, mask, roads, routes.mask)
        return h, self.increments.spans(h, routes)

    def _conditions(self, routes: DecoderInputs) -> Tensor:
        """Tell each pattern its anchor road, the mean speed and the interval, [B, P, 4 WAVES + 4]."""
        patterns = routes.anchors.shape[1]
        speed = routes.distance_m / ((routes.points - 1) * routes.interval_s)
        facts = torch.stack(
            [speed / 10.0, routes.interval_s / 15.0, routes.distance_m / 5000.0, routes.total_m / 5000.0], dim=-1
        )
        low = routes.start_m.gather(1, routes.anchors)
        high = low + routes.length_m.gather(1, routes.anchors)
        before = torch.cat([torch.zeros_like(low[:, :1]), low[:, :-1]], dim=1)
        places = torch.cat([waves(low), waves(high), waves(low - before), waves(high - before)], dim=-1)
        if not self.anchored:
            places = torch.zeros_like(places)
        return torch.cat([places, facts[:, None].expand(-1, patterns, -1)], dim=-1)


class DrawingDecoder(PatternDecoder):
    """Draws each step between points from a density that knows the pattern and the roads around the car (ours)."""

    increments: AnchoredEnds

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__(config)
        self.steps = StepDensity(config)

    def losses(self, quantized: Tensor, context: RouteContext, batch: Batch) -> dict[str, Tensor]:
        """Return how far patterns end from where they should, and how unlikely the steps are."""
        known, span = self._known(quantized, context, batch.routes)
        steps = self.steps.loss(known, batch.along_m, batch.routes.point_mask)
        return {"ends": self.increments.ends_loss(batch.along_m, span, batch.routes), "steps": steps}

    def trip_losses(self, quantized: Tensor, context: RouteContext, batch: Batch) -> Tensor:
        """Return how unlikely the steps of each trip are, [B] nats a step."""
        known, _ = self._known(quantized, context, batch.routes)
        return self.steps.trip_losses(known, batch.along_m, batch.routes.point_mask)

    def decode(
        self, quantized: Tensor, context: RouteContext, routes: DecoderInputs, uniform: Tensor | None
    ) -> tuple[Tensor, None]:
        """Return places along the route [B, 8P] in metres, drawn by uniform numbers [B, 8P, 2]; no offsets."""
        assert uniform is not None
        known, span = self._known(quantized, context, routes)
        return self.steps.draw(known, span.begin_m[:, 0], uniform), None

    def _known(self, quantized: Tensor, context: RouteContext, routes: DecoderInputs) -> tuple[Known, Span]:
        h, span = self(quantized, context.embedded, routes)
        assert span is not None
        return self.steps.know(h, span, context, routes), span


class RegressingDecoder(PatternDecoder):
    """Regresses where points lie, through three doublings (equation 6): the paper's decoder.

    Ours: once the ends of the patterns are placed, every finer level is told where on the route it lies.
    """

    increments: Increments

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__(config)
        dims, head = config.dims[::-1], config.head_dim
        self.doublings = nn.ModuleList([Double(a, b) for a, b in pairwise(dims)])
        self.places = nn.ModuleList([nn.Linear(WAVES + 1, dim) for dim in dims[1:]])
        self.convs = nn.ModuleList([ConvBlock(dim) for dim in dims[1:]])
        self.layers = nn.ModuleList([TransformerLayer(dim, head, config.road_dim) for dim in dims[1:]])
        self.norm = nn.LayerNorm(dims[-1])
        dim = dims[-1]
        self.offset = None if config.offset_noise else nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, 2))

    def losses(self, quantized: Tensor, context: RouteContext, batch: Batch) -> dict[str, Tensor]:
        """Return the errors of places (equation 10) and, where they are regressed, of offsets (equation 11)."""
        h, along_m, span = self.points(quantized, context, batch.routes)
        losses = {"percent": self.increments.loss(along_m, batch.along_m, span, batch.routes)}
        if self.offset is not None:
            mask = batch.routes.point_mask
            error = (self.offset(h).float() - batch.offset_m / OFFSET_M).square().sum(-1)
            losses["offset"] = (error * mask).sum() / mask.sum()
        return losses

    def trip_losses(self, quantized: Tensor, context: RouteContext, batch: Batch) -> Tensor:
        """Return how far the points of each trip are from where they were along the route, [B] metres in the mean."""
        mask = batch.routes.point_mask
        apart_m = (self.points(quantized, context, batch.routes)[1] - batch.along_m).abs()
        return (apart_m * mask).sum(dim=1) / batch.routes.points

    def decode(
        self,
        quantized: Tensor,
        context: RouteContext,
        routes: DecoderInputs,
        uniform: Tensor | None,  # noqa: ARG002  nothing is drawn here
    ) -> tuple[Tensor, Tensor | None]:
        """Return places along the route [B, 8P] and, where they are regressed, offsets [B, 8P, 2] in metres."""
        h, along_m, _ = self.points(quantized, context, routes)
        return along_m, None if self.offset is None else self.offset(h).float() * OFFSET_M

    def points(
        self, quantized: Tensor, context: RouteContext, routes: DecoderInputs
    ) -> tuple[Tensor, Tensor, Span | None]:
        """Return point embeddings H' [B, 8P, d], places along the route [B, 8P] in metres, and the patterns' spans."""
        roads = context.embedded
        h, span = self(quantized, roads, routes)
        per_pattern = 1
        for double, place, conv, layer in zip(self.doublings, self.places, self.convs, self.layers, strict=True):
            per_pattern *= 2
            fine = routes.point_mask[:, :: 8 // per_pattern]
            h = double(h, fine)
            if span is not None:
                h = h + place(self._place(span, per_pattern))
            h = layer(conv(h, fine), fine, roads, routes.mask)
        h = self.norm(h)
        return h, self.increments(h, span, routes), span

    @staticmethod
    def _place(span: Span, per_pattern: int) -> Tensor:
        length = (span.end_m - span.begin_m).repeat_interleave(per_pattern, dim=1) / 1000.0
        return torch.cat([waves(span.prior(per_pattern)), length[..., None]], dim=-1).detach()


@dataclass(frozen=True)
class Reconstruction:
    """What a forward pass of the RQ-VAE gives."""

    codes: Tensor  # [B, P, L]
    loss: Tensor  # scalar, equation 12
    parts: dict[str, Tensor]  # its terms, detached


class RQVAE(nn.Module):
    """The trajectory-specific RQ-VAE: encoder, quantizer, road context, decoder, and the offsets."""

    def __init__(self, config: TokenizerConfig, node2vec: Tensor, road_features: Tensor) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.quantizer = Quantizer(config)
        self.roads = RoadContext(config, node2vec, road_features)
        made_by = DrawingDecoder if config.increments == "drawn" else RegressingDecoder
        self.decoder: DrawingDecoder | RegressingDecoder = made_by(config)
        self.noise = OffsetDensity() if config.offset_noise else None

    def encode(self, inputs: Tensor, routes: DecoderInputs) -> Tensor:
        """Return the codes [B, P, L] of points [B, 8P, F]."""
        embedded = self.encoder(inputs, routes.point_mask)
        return self.quantizer(embedded, routes.pattern_mask)[1]

    @property
    def draws_steps(self) -> bool:
        """Whether places are drawn, not regressed."""
        return isinstance(self.decoder, DrawingDecoder)

    def decode(self, codes: Tensor, routes: DecoderInputs, uniform: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return places along the route [B, 8P] and offsets [B, 8P, 2] in metres, for codes [B, P, L].

        Places are drawn by `uniform` numbers [B, 8P, 2] where `draws_steps`; they may be missing elsewhere. None for
        offsets that are drawn, which is done apart.
        """
        quantized = self.quantizer.look_up(codes) * routes.pattern_mask[:, :, None]
        return self.decoder.decode(quantized, self._context_once(routes), routes, uniform)

    def trip_losses(self, batch: Batch) -> Tensor:
        """Return how badly each trip goes there and back, [B]: nats a step where steps are drawn, else metres."""
        codes = self.encode(batch.inputs, batch.routes)
        quantized = self.quantizer.look_up(codes) * batch.routes.pattern_mask[:, :, None]
        return self.decoder.trip_losses(quantized, self._context(batch.routes), batch)

    def decoder_losses(self, batch: Batch, codes: Tensor) -> dict[str, Tensor]:
        """Return the decoder's losses for trips with these codes [B, P, L]: no gradient reaches what makes them."""
        with torch.no_grad():
            quantized = self.quantizer.look_up(codes) * batch.routes.pattern_mask[:, :, None]
        return self.decoder.losses(quantized, self._context(batch.routes), batch)

    def forward(self, batch: Batch) -> Reconstruction:
        """Reconstruct trips and return the training loss (equation 12)."""
        routes = batch.routes
        embedded = self.encoder(batch.inputs, routes.point_mask)
        quantized, codes, commitment = self.quantizer(embedded, routes.pattern_mask)
        # drawn offsets are learned apart, see offsets_train.py: the codes keep the movement
        parts = {"commitment": commitment} | self.decoder.losses(quantized, self._context(routes), batch)
        loss = torch.stack(list(parts.values())).sum()
        return Reconstruction(codes, loss, {name: part.detach() for name, part in parts.items()})

    def _context_once(self, routes: DecoderInputs) -> RouteContext:
        """Return the context, computed for one trip where all go along the same route."""
        parts = (routes.roads, routes.start_m, routes.length_m, routes.mask)
        if len(routes.roads) > 1 and all(bool((part == part[:1]).all()) for part in parts):
            return self.roads(*(part[:1] for part in parts)).for_each(len(routes.roads))
        return self._context(routes)

    def _context(self, routes: DecoderInputs) -> RouteContext:
        return self.roads(routes.roads, routes.start_m, routes.length_m, routes.mask)
