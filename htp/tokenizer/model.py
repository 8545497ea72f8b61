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
from htp.tokenizer.increments import INCREMENTS, Span
from htp.tokenizer.offsets import OffsetDensity
from htp.tokenizer.quantizer import Quantizer
from htp.tokenizer.roads import RoadContext

if TYPE_CHECKING:
    from htp.config import TokenizerConfig
    from htp.tokenizer.batch import Batch, DecoderInputs
    from htp.tokenizer.increments import Increments


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


class Decoder(nn.Module):
    """Quantized patterns and roads to point embeddings: a mid block and three doublings (equation 6).

    Ours: once the ends of the patterns are placed, every finer level is told where on the route it lies.
    """

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        dims, head = config.dims[::-1], config.head_dim
        self.tell = nn.Linear(4 * WAVES + 4, dims[0])
        self.mid_conv = ConvBlock(dims[0])
        self.mid = nn.ModuleList([TransformerLayer(dims[0], head, config.road_dim) for _ in range(1)])
        self.increments: Increments = INCREMENTS[config.increments](config)
        self.anchored = config.increments == "anchored"
        self.doublings = nn.ModuleList([Double(a, b) for a, b in pairwise(dims)])
        self.places = nn.ModuleList([nn.Linear(WAVES + 1, dim) for dim in dims[1:]])
        self.convs = nn.ModuleList([ConvBlock(dim) for dim in dims[1:]])
        self.layers = nn.ModuleList([TransformerLayer(dim, head, config.road_dim) for dim in dims[1:]])
        self.norm = nn.LayerNorm(dims[-1])

    def forward(self, quantized: Tensor, roads: Tensor, routes: DecoderInputs) -> tuple[Tensor, Tensor, Span | None]:
        """Return point embeddings H' [B, 8P, d], places along the route [B, 8P] in metres, and the patterns' spans."""
        mask = routes.pattern_mask
        h = quantized + self.tell(self._conditions(routes))
        h = self.mid_conv(h * mask[:, :, None], mask)
        for layer in self.mid:
            h = layer(h, mask, roads, routes.mask)
        span = self.increments.spans(h, routes)
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

    @staticmethod
    def _place(span: Span, per_pattern: int) -> Tensor:
        length = (span.end_m - span.begin_m).repeat_interleave(per_pattern, dim=1) / 1000.0
        return torch.cat([waves(span.prior(per_pattern)), length[..., None]], dim=-1).detach()


@dataclass(frozen=True)
class Reconstruction:
    """What a forward pass of the RQ-VAE gives."""

    along_m: Tensor  # [B, 8P]
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
        self.decoder = Decoder(config)
        dim = config.dims[0]
        self.noise = OffsetDensity() if config.offset_noise else None
        self.offset = None if config.offset_noise else nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, 2))

    def encode(self, inputs: Tensor, routes: DecoderInputs) -> Tensor:
        """Return the codes [B, P, L] of points [B, 8P, F]."""
        embedded = self.encoder(inputs, routes.point_mask)
        return self.quantizer(embedded, routes.pattern_mask)[1]

    def decode(self, codes: Tensor, routes: DecoderInputs) -> tuple[Tensor, Tensor]:
        """Return places along the route [B, 8P] in metres and point embeddings [B, 8P, d] for codes [B, P, L]."""
        quantized = self.quantizer.look_up(codes) * routes.pattern_mask[:, :, None]
        h, along_m, _ = self.decoder(quantized, self._context_once(routes), routes)
        return along_m, h

    def regressed_offsets(self, h: Tensor) -> Tensor:
        """Return offsets [B, 8P, 2] along and across the road in metres where they are regressed (equation 11)."""
        assert self.offset is not None
        return self.offset(h).float() * OFFSET_M

    def forward(self, batch: Batch) -> Reconstruction:
        """Reconstruct trips and return the training loss (equation 12)."""
        routes, mask = batch.routes, batch.routes.point_mask
        embedded = self.encoder(batch.inputs, mask)
        quantized, codes, commitment = self.quantizer(embedded, routes.pattern_mask)
        h, along_m, span = self.decoder(quantized, self._context(routes), routes)
        percent = self.decoder.increments.loss(along_m, batch.along_m, span, routes)
        parts = {"commitment": commitment, "percent": percent}
        if (
            self.offset is not None
        ):  # drawn offsets are learned apart, see offsets_train.py: the codes keep the movement
            error = (self.offset(h).float() - batch.offset_m / OFFSET_M).square().sum(-1)
            parts["offset"] = (error * mask).sum() / mask.sum()
        loss = torch.stack(list(parts.values())).sum()
        return Reconstruction(along_m, codes, loss, {name: part.detach() for name, part in parts.items()})

    def _context_once(self, routes: DecoderInputs) -> Tensor:
        """Return the context, computed for one trip where all go along the same route."""
        parts = (routes.roads, routes.start_m, routes.length_m, routes.mask)
        if len(routes.roads) > 1 and all(bool((part == part[:1]).all()) for part in parts):
            return self.roads(*(part[:1] for part in parts)).expand(len(routes.roads), -1, -1)
        return self._context(routes)

    def _context(self, routes: DecoderInputs) -> Tensor:
        return self.roads(routes.roads, routes.start_m, routes.length_m, routes.mask)
