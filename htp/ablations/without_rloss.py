"""HTP without the relative reconstruction loss: the decoder regresses points in free space (paper §5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htp.ablations.regressed_points import PointTokenizer, PointTrainer, describe_with_points
from htp.ablations.whole import HTP
from htp.city.relative import lines_through
from htp.generate import with_patterns

if TYPE_CHECKING:
    import geopandas as gpd

    from htp.tokenizer.codec import Drives, Patterns
    from htp.tokenizer.features import Samples


class WithoutRLoss(HTP):
    """Mean squared error on points. Its trips have no percent and no offset, for nothing holds them on their route."""

    name = "w/o R-Loss"
    tokenizer_type = PointTokenizer
    trainer_type = PointTrainer
    tokenizer: PointTokenizer

    def _describe(self, trips: gpd.GeoDataFrame) -> Samples:
        return describe_with_points(trips, self.city, inputs=self._tokenizer_config().inputs)

    def _to_trips(self, asked: gpd.GeoDataFrame, patterns: Patterns, drives: Drives) -> gpd.GeoDataFrame:
        lines = lines_through(self.tokenizer.points(patterns, drives), patterns.points)
        return with_patterns(asked, patterns).set_geometry(lines, crs="EPSG:4326")
