"""HTP without the relative reconstruction loss: the decoder regresses points in free space (paper §5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htp.city.linear_referencing import lines_through
from htp.generate import with_patterns
from htp.methods.ablations.regressed_points import PointTokenizer, PointTrainer, describe_with_points
from htp.methods.ablations.whole import HTP

if TYPE_CHECKING:
    import geopandas as gpd

    from htp.tokenizer.features import Samples
    from htp.tokenizer.tokenizer import DecoderConditions, Patterns


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
