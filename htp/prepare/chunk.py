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

    from numpy.typing import NDArray

    from htp.city.matching import Match, Matcher
    from htp.city.network import City
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
    read = len(raw.lonlat) + raw.left_out.total()
    raw = clean(raw, city, interval_s=interval_s, min_points=least, max_points=options.max_points)
    tracks_m = Ragged(city.to_metres(raw.lonlat), raw.first).split()
    parts = matcher.parts(tracks_m)
    outcomes = _outcomes(tracks_m, parts, city, options)
    kept = np.array([len(one.labels) for one in outcomes], dtype=np.int64)
    good = [one for outcome in outcomes for one in outcome.labels]
    tally = Tally(
        rows=len(raw) + raw.dropped.total() - raw.further,
        further=raw.further + int(np.maximum(kept - 1, 0).sum()),
        dropped=raw.dropped + Counter(one.why for one in outcomes if not one.labels),
        left_out=raw.left_out.copy(),
        examples=_examples(raw, outcomes),
        eligible=len(outcomes),
        kept=len(good),
        read=read,
        points=sum(len(one.percent) for one in good),
        matched_points=len(raw.lonlat),
        cut=sum(bool(one.left_out) for one in outcomes),
    )
    for one in outcomes:
        tally.left_out.update(one.left_out)
    if good:
        offset_m = np.concatenate([one.offset_m for one in good]).astype(float)
        tally.measure(np.hypot(*offset_m.T), np.array([one.ratio for one in good]))
    return Prepared(_frame(raw, kept, good, interval_s, city.timezone), tally)


@dataclass(frozen=True)
class _Outcome:
    """What became of one drive."""

    labels: list[Labels]  # of every stretch that is kept
    why: str  # there is none; the reason of the longest part
    left_out: Counter[str]  # where there is one: reason -> points in no stretch


def _outcomes(
    tracks_m: Sequence[NDArray[np.float64]], parts: Sequence[Sequence[Match]], city: City, options: PrepareOptions
) -> list[_Outcome]:
    """Label the parts of each drive, [T, 2] metres."""
    assert options.interval_s is not None
    tracks = [track_m for track_m, own in zip(tracks_m, parts, strict=True) for _ in own]
    matches = [match for own in parts for match in own]
    labels = iter(label(city, tracks, matches, options.interval_s, min_points=options.min_points))
    return [
        _outcome(len(track_m), own, [next(labels) for _ in own]) for track_m, own in zip(tracks_m, parts, strict=True)
    ]


def _outcome(points: int, parts: Sequence[Match], labels: Sequence[list[Labels] | str]) -> _Outcome:
    """Gather the labels of a drive of so many points from its parts."""
    kept: list[Labels] = []
    left_out = Counter({"unmatched": points})
    for part, own in zip(parts, labels, strict=True):
        left_out["unmatched"] -= len(part.at)
        if isinstance(own, str):
            left_out[own] += len(part.at)
        else:
            kept += own
            left_out["off_road"] += len(part.at) - sum(len(one.percent) for one in own)
    reasons = [(len(part.at), own) for part, own in zip(parts, labels, strict=True) if isinstance(own, str)]
    why = "" if kept else max(reasons, key=lambda one: one[0])[1]
    return _Outcome(kept, why, +left_out if kept else Counter())


def _examples(raw: RawTrips, outcomes: Sequence[_Outcome]) -> dict[str, str]:
    """Return a trip for every reason why one, or else points of one, have no labels, beside the examples there are."""
    shown = dict(raw.examples)
    for dropped in (True, False):
        for trip_id, outcome in zip(raw.trip_id, outcomes, strict=True):
            for reason in [outcome.why] * (not outcome.labels) if dropped else outcome.left_out:
                shown.setdefault(reason, f"trip {trip_id}")
    return shown


def _frame(
    raw: RawTrips, kept: NDArray[np.int64], labels: Sequence[Labels], interval_s: float, timezone: str
) -> gpd.GeoDataFrame:
    """Return the stretches, `kept` of each drive, [B], as a table of trips, numbered where there are several."""
    of = np.repeat(np.arange(len(kept)), kept)
    first = raw.first[of] + np.array([one.first for one in labels], dtype=np.int64)
    points = Ragged.ranges(first, [len(one.percent) for one in labels])
    start_us = np.round(raw.time_s[first] * 1e6).astype(np.int64)
    starts = pd.DatetimeIndex(start_us.view("datetime64[us]"), tz="UTC")
    ids = [
        raw.trip_id[trip] if kept[trip] == 1 else f"{raw.trip_id[trip]}-{number}"
        for trip, number in zip(of.tolist(), Ragged.ranges(0, kept).flat.tolist(), strict=True)
    ]
    return gpd.GeoDataFrame(
        {
            "trip_id": np.array(ids, dtype=object),
            "start_time": starts.tz_convert(timezone),
            "interval": np.full(len(labels), interval_s, dtype=np.float32),
            # of type object even where no trip is left, or the lists of no trip could not be written
            "roads": pd.Series([one.roads for one in labels], dtype=object),
            "percent": pd.Series([one.percent for one in labels], dtype=object),
            "offset": pd.Series([one.offset_m.ravel() for one in labels], dtype=object),
        },
        geometry=shapely.linestrings(raw.lonlat[points.flat], indices=points.row) if labels else [],
        crs="EPSG:4326",
    )
