"""Turn one chunk of raw trips into prepared trips: clean → match → label."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from htp.compute.ragged import Ragged
from htp.prepare.clean import clean
from htp.prepare.label import Labels, label
from htp.prepare.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htp.city.matching import Matcher
    from htp.prepare.options import PrepareOptions
    from htp.prepare.rawtrips import RawTrips


@dataclass(frozen=True)
class Prepared:
    """The prepared trips of a chunk, in order."""

    trips: gpd.GeoDataFrame
    tally: Tally


def prepare_chunk(raw: RawTrips, matcher: Matcher, options: PrepareOptions) -> Prepared:
    """Clean, match and label some trips; every drive is either in the result or counted by reason."""
    city = matcher.city
    interval_s, least = options.interval_s, options.min_points
    assert interval_s is not None, "`prepare` finds out the trips' own"
    raw = clean(raw, city, interval_s=interval_s, min_points=least, max_points=options.max_points)
    tracks_m = Ragged(city.to_metres(raw.lonlat), raw.first).split()
    labels = label(city, tracks_m, matcher.match(tracks_m), interval_s, min_points=least)

    kept = [i for i, one in enumerate(labels) if isinstance(one, Labels)]
    good = [one for one in labels if isinstance(one, Labels)]
    frame = _frame(raw, kept, good, interval_s, city.timezone)
    points = sum(len(one.percent) for one in good)
    unmatched = int(raw.count[kept].sum()) - points
    tally = Tally(
        rows=len(raw) + raw.dropped.total() - raw.further,
        further=raw.further,
        dropped=raw.dropped + Counter(one for one in labels if isinstance(one, str)),
        left_out=raw.left_out + Counter({"unmatched": unmatched}),
        examples=_examples(raw, labels),
        eligible=len(labels),
        kept=len(kept),
        points=points,
        matched_points=len(raw.lonlat),
        cut=sum(len(one.percent) < int(raw.count[i]) for i, one in zip(kept, good, strict=True)),
    )
    if good:
        offset_m = np.concatenate([one.offset_m for one in good]).astype(float)
        tally.measure(np.hypot(*offset_m.T), np.array([one.ratio for one in good]))
    return Prepared(frame, tally)


def _examples(raw: RawTrips, labels: Sequence[Labels | str]) -> dict[str, str]:
    """Return a trip for every reason why one has no labels, beside the examples that there are."""
    unlabelled = {
        one: f"trip {trip_id}"
        for trip_id, one in reversed(list(zip(raw.trip_id, labels, strict=True)))
        if isinstance(one, str)
    }
    return unlabelled | dict(raw.examples)


def _frame(
    raw: RawTrips, kept: Sequence[int], labels: Sequence[Labels], interval_s: float, timezone: str
) -> gpd.GeoDataFrame:
    """Return the kept parts as a table of prepared trips."""
    first = [int(raw.first[i]) + one.first for i, one in zip(kept, labels, strict=True)]
    points = Ragged.ranges(first, [len(one.percent) for one in labels])
    start_us = np.round(raw.time_s[first] * 1e6).astype(np.int64)
    starts = pd.DatetimeIndex(start_us.view("datetime64[us]"), tz="UTC")
    return gpd.GeoDataFrame(
        {
            "trip_id": np.array([raw.trip_id[i] for i in kept], dtype=object),
            "start_time": starts.tz_convert(timezone),
            "interval": np.full(len(kept), interval_s, dtype=np.float32),
            # of type object even where no trip is left, or the lists of no trip could not be written
            "roads": pd.Series([one.roads for one in labels], dtype=object),
            "percent": pd.Series([one.percent for one in labels], dtype=object),
            "offset": pd.Series([one.offset_m.ravel() for one in labels], dtype=object),
        },
        geometry=shapely.linestrings(raw.lonlat[points.flat], indices=points.row) if kept else [],
        crs="EPSG:4326",
    )
