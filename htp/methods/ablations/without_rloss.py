"""HTP without the relative reconstruction loss: the RQ-VAE's decoder says coordinates in free space (paper §5.3).

The loss is the mean squared error of points instead of percent and offset. Everything else is HTP's: the encoder's
inputs, the roads, the anchors that the decoder is told. Coordinates are normalised to the city's bounds, -1 to 1, as in
equation 1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from htp.city.linear_referencing import RouteLines, lines_through
from htp.generate import with_patterns
from htp.methods.ablations.whole import HTP
from htp.tokenizer.batch import Batches, pad
from htp.tokenizer.features import ABSOLUTE_INPUTS, absolute_inputs, describe
from htp.tokenizer.model import RQVAE, Reconstruction, RegressingDecoder
from htp.tokenizer.tokenizer import BATCH, Tokenizer
from htp.tokenizer.train import TokenizerTrainer

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.config import TokenizerConfig
    from htp.tokenizer.batch import Batch, DecoderInputs
    from htp.tokenizer.features import Samples
    from htp.tokenizer.tokenizer import DecoderConditions, Patterns


class PointRQVAE(RQVAE):
    """The RQ-VAE with a head for coordinates; in training they stand behind the inputs, [B, 8P, F + 2]."""

    decoder: RegressingDecoder

    def __init__(self, config: TokenizerConfig, node2vec_: Tensor, features: Tensor) -> None:
        told = config.increments in ("drawn", "anchored")
        # neither heads nor losses of percent and offset: "free" brings a decoder that needs neither
        super().__init__(replace(config, increments="free", offset_noise=False), node2vec_, features)
        self.config = config
        self.decoder.anchored = told
        dim = config.dims[0]
        self.point = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, 2))

    def encode(self, inputs: Tensor, routes: DecoderInputs) -> Tensor:
        """Return the codes [B, P, L] of points, with or without their coordinates behind the inputs."""
        return super().encode(inputs[..., : self.encoder.project.in_features], routes)

    def decode_points(self, codes: Tensor, routes: DecoderInputs) -> Tensor:
        """Return the coordinates [B, 8P, 2], normalised, that codes [B, P, L] stand for."""
        quantized = self.quantizer.look_up(codes) * routes.pattern_mask[:, :, None]
        return self._points(self.decoder.points(quantized, self._context(routes), routes)[0])

    def forward(self, batch: Batch) -> Reconstruction:
        """Reconstruct trips; the loss is equation 9 and the mean squared error of the coordinates."""
        routes, mask, seen = batch.routes, batch.routes.point_mask, self.encoder.project.in_features
        embedded = self.encoder(batch.inputs[..., :seen], mask)
        quantized, codes, commitment = self.quantizer(embedded, routes.pattern_mask)
        h, _, _ = self.decoder.points(quantized, self._context(routes), routes)
        error = (self._points(h) - batch.inputs[..., seen:]).square().sum(-1)
        points = (error * mask).sum() / mask.sum()
        parts = {"commitment": commitment.detach(), "points": points.detach()}
        return Reconstruction(codes, commitment + points, parts)

    def _points(self, h: Tensor) -> Tensor:
        with torch.autocast(h.device.type, enabled=False):  # bfloat16 knows a city of 30 km to 60 m
            return self.point(h.float())


class PointTokenizer(Tokenizer):
    """Stage 1 over a city: trips to patterns, patterns to coordinates."""

    model_type = PointRQVAE
    model: PointRQVAE

    @torch.inference_mode()
    def points(self, patterns: Patterns, drives: DecoderConditions) -> NDArray[np.float64]:
        """Return the places, lon and lat, of all points that patterns stand for, trip after trip, [N, 2]."""
        lines = RouteLines.of(self.city, drives.roads)
        first = np.r_[0, np.cumsum(patterns.points)]
        found = np.zeros((first[-1], 2))
        order = np.argsort(patterns.points, kind="stable")
        for at in range(0, len(order), BATCH):
            rows = order[at : at + BATCH]
            routes = self._routes(patterns, drives, lines, rows).to(self.device)
            codes = pad(patterns.codes, patterns.first, rows, routes.anchors.shape[1]).long().to(self.device)
            points, mask = self.model.decode_points(codes, routes).cpu().numpy(), routes.point_mask.cpu().numpy()
            for row, said, real in zip(rows, points, mask, strict=True):
                found[first[row] : first[row + 1]] = said[real]
        return from_unit(found, self.city)


class PointTrainer(TokenizerTrainer):
    """The tokenizer's trainer, whose report says how far points are from where they were."""

    @torch.inference_mode()
    def _check(self, heldout: Samples) -> dict:
        """Return the distance between points and their reconstructions, in metres."""
        city, errors = self.tokenizer.city, []
        model = cast("PointRQVAE", self.model.eval())
        batches = Batches(heldout)
        for rows in batches.epoch(BATCH, None):
            batch = batches.collate(rows)
            mask = batch.routes.point_mask
            said = model.decode_points(model.encode(batch.inputs, batch.routes), batch.routes)[mask]
            there = batch.inputs[..., -ABSOLUTE_INPUTS:][mask]
            ends_m = [city.to_metres(from_unit(unit.double().numpy(), city)) for unit in (said, there)]
            errors.append(np.hypot(*(ends_m[0] - ends_m[1]).T))
        error_m = np.concatenate(errors)
        return {"error_m": {q: round(float(np.quantile(error_m, float(q))), 1) for q in ("0.5", "0.9")}}


class WithoutRLoss(HTP):
    """Mean squared error on points. Its trips have no percent and no offset, for nothing holds them on their route."""

    name = "w/o R-Loss"
    tokenizer_type = PointTokenizer
    trainer_type = PointTrainer
    tokenizer: PointTokenizer

    def _describe(self, trips: gpd.GeoDataFrame) -> Samples:
        return describe_with_points(trips, self.city, inputs=self._tokenizer_config().inputs)

    def _to_trips(self, asked: gpd.GeoDataFrame, patterns: Patterns, drives: DecoderConditions) -> gpd.GeoDataFrame:
        lines = lines_through(self.tokenizer.points(patterns, drives), patterns.points)
        return with_patterns(asked, patterns).set_geometry(lines, crs="EPSG:4326")


def describe_with_points(trips: gpd.GeoDataFrame, city: City, *, inputs: str) -> Samples:
    """Return the samples of prepared trips, their normalised coordinates behind what the encoder sees."""
    samples = describe(trips, city, inputs=inputs)
    where = absolute_inputs(trips, city).astype(np.float32)
    return replace(samples, inputs=np.concatenate([samples.inputs, where], axis=1))


def from_unit(unit: NDArray[np.float64], city: City) -> NDArray[np.float64]:
    """Return the degrees [N, 2] of coordinates that are -1 to 1 within the city's bounds."""
    west, south, east, north = city.roads.total_bounds
    return (unit + 1.0) / 2.0 * [east - west, north - south] + [west, south]
