"""Stand in for a trained tokenizer: codes that follow from a trip alone, so that its tokens are known beforehand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import geopandas as gpd

SIZES = (32, 64, 128, 256)


class FakeTokenizer:
    """Answer the calls that the app makes of a tokenizer."""

    model = SimpleNamespace(config=SimpleNamespace(codebook_sizes=SIZES))

    def encode(self, trips: gpd.GeoDataFrame) -> SimpleNamespace:
        """Layer 1: the pattern's place in its trip, up to 31; 2: the trip's roads; 3: its points; 4: always 0."""
        points = np.array([len(percent) for percent in trips["percent"]])
        roads = np.array([len(route) for route in trips["roads"]])
        counts = -(-points // 8)
        first = np.r_[0, np.cumsum(counts)]
        row = np.repeat(np.arange(len(trips)), counts)
        number = np.arange(first[-1]) - first[row]
        columns = [np.minimum(number, 31), roads[row] % 64, points[row] % 128, np.zeros(first[-1])]
        return SimpleNamespace(
            codes=np.stack(columns, axis=1).astype(np.int16),
            anchors=np.zeros(first[-1], dtype=np.int32),
            first=first,
            length_tokens=np.zeros(len(trips), dtype=np.int8),
        )
