"""Say which tokens a generated trip was made from: the codes of each pattern and the road that it ends on.

A pattern stands for 8 points at the sampling interval of the models, whatever interval the trip was then sampled at,
and for the steps into them; see `htp.evaluate.codebook`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htp.tokenizer.lengths import restore_length
from htp.trips import POINTS_PER_PATTERN

if TYPE_CHECKING:
    import geopandas as gpd

    from htp.city import City
    from htp.evaluate.codebook import Prefix


@dataclass(frozen=True)
class PatternToken:
    """A pattern of a trip; times are seconds since the trip's first point."""

    codes: Prefix  # of every layer, layer 1 first
    begins_s: float  # at the point before its own, as the step from there is its own
    ends_s: float  # at its last point
    ends_on: str | None  # name of the street, None where it has none


def tokens_behind(trips: gpd.GeoDataFrame, city: City, row: int) -> list[PatternToken] | None:
    """Return the tokens that the trip of a row was made from; None where its table does not say."""
    if not {"patterns", "anchors"} <= set(trips.columns):
        return None
    trip = trips.iloc[row]
    anchors = np.asarray(trip["anchors"], dtype=np.int64)
    codes = np.asarray(trip["patterns"], dtype=np.int64).reshape(len(anchors), -1)
    streets = city.roads["name"].iloc[np.asarray(trip["roads"], dtype=np.int64)[anchors]]
    last_s = (len(trip["percent"]) - 1) * float(trip["interval"])
    interval_s = last_s / (restore_length(len(anchors), int(trip["length_token"])) - 1)  # of the models
    return [
        PatternToken(
            codes=tuple(own.tolist()),
            begins_s=max(number * POINTS_PER_PATTERN - 1, 0) * interval_s,
            ends_s=min(((number + 1) * POINTS_PER_PATTERN - 1) * interval_s, last_s),
            ends_on=name if isinstance(name, str) else None,
        )
        for number, (own, name) in enumerate(zip(codes, streets, strict=True))
    ]
