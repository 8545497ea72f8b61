"""Take raw trips apart into drives: points in the order of time, without spikes, cut where nothing was recorded.

Nothing larger than what is broken is left out: an unreadable value, a repeated time, a spike and a stretch out of town
cost their points. What remains apart becomes trips of their own, `id-0`, `id-1`, ...; a gap without movement is a stop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from htp.compute.ragged import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.prepare.rawtrips import RawTrips

MAX_SPEED_MPS = 200 / 3.6  # issue: jumps beyond 200 km/h
MIN_JUMP_M = 100.0  # ours: below it, noise at short intervals looks fast but is no jump
MAX_SPIKE = 3  # ours: points in a row that are a spike where the trip goes on before and after them
GAP_INTERVALS, MIN_GAP_S = 4.0, 60.0  # ours: a gap is where nothing was recorded for longer than both
STOP_M, MAX_STOP_S = 100.0, 300.0  # ours: a gap up to both is a stop; who parks for longer begins another trip
MARGIN_M = 100.0  # beyond the box of the roads, as far as the matcher looks for a road
EARTH_RADIUS_M = 6_371_008.8
DEGREE_M = EARTH_RADIUS_M * np.pi / 180
SLACK = 1e-6  # of intervals: times are rounded
MAX_TIME_S = 2**63 / 1e9  # ours: pandas counts nanoseconds in 64 bits, so times end in the years 1677 and 2262


def drives(raw: RawTrips, city: City) -> RawTrips:
    """Return every drive of the trips as a trip of its own; what is left out is counted."""
    parts = _without_jumps(in_order(raw))
    parts = parts.leave_out(~in_town(parts.raw.lonlat, city), "out_of_town")
    return _apart(parts.cut(_gaps(parts.raw)))


def in_pieces(raw: RawTrips, interval_s: float, max_points: int) -> RawTrips:
    """Return trips that have at most so many points at an interval: longer ones in pieces that last equally long."""
    first, last = raw.first[:-1], raw.first[1:] - 1
    span_s = raw.time_s[last] - raw.time_s[first]
    pieces = np.ceil((np.floor(span_s / interval_s + SLACK) + 1.0) / max_points)
    if (pieces <= 1).all():
        return raw
    elapsed_s = raw.time_s - raw.time_s[first][raw.row]
    piece_s = np.where(pieces > 1, span_s / pieces + SLACK, np.inf)  # the last point lies in the last piece
    number = np.floor(elapsed_s / piece_s[raw.row])
    return _apart(_Parts(raw, np.zeros(len(raw.lonlat), dtype=np.int64)).cut(np.diff(number, prepend=0.0) != 0))


def in_order(raw: RawTrips) -> RawTrips:
    """Return trips without unreadable points, each in the order of time; of points at the same time the first stays."""
    known: NDArray[np.bool_] = np.abs(raw.time_s) < MAX_TIME_S  # NaN is not
    raw = raw.leave_out(~known, "unread_time")
    lon, lat = raw.lonlat.T
    raw = raw.leave_out(~(np.isfinite(lon) & np.isfinite(lat)), "unread_position")
    row = raw.row
    same = row[1:] == row[:-1]
    if (same & (np.diff(raw.time_s) < 0)).any():
        order = np.lexsort((raw.time_s, row))
        raw = replace(raw, lonlat=raw.lonlat[order], time_s=raw.time_s[order])
    again = np.zeros(len(row), dtype=bool)
    again[1:] = same & (np.diff(raw.time_s) == 0)
    return raw.leave_out(again, "repeated_time")


def in_town(lonlat: NDArray[np.float64], city: City) -> NDArray[np.bool_]:
    """Return which points lie so near the bounding box of the roads that one of them could be theirs, [N]."""
    west, south, east, north = city.roads.total_bounds
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    up = MARGIN_M / DEGREE_M
    aside = up / max(np.cos(np.radians(max(abs(south), abs(north)))), 0.01)
    return (lon >= west - aside) & (lon <= east + aside) & (lat >= south - up) & (lat <= north + up)


def steps(raw: RawTrips) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return metres and seconds from the point before to each point, [N]; zero for the first of a trip."""
    step_m, step_s = np.zeros(len(raw.lonlat)), np.zeros(len(raw.lonlat))
    step_m[1:] = _metres(raw.lonlat[:-1], raw.lonlat[1:])
    step_s[1:] = np.diff(raw.time_s)
    step_m[raw.first[:-1]] = step_s[raw.first[:-1]] = 0.0
    return step_m, step_s


def median_step_s(raw: RawTrips) -> NDArray[np.float64]:
    """Return the median time between two points of each trip in seconds, at least 1; NaN of a single point, [B]."""
    _, step_s = steps(raw)
    within = np.ones(len(step_s), dtype=bool)
    within[raw.first[:-1]] = False
    return np.maximum(Ragged.from_counts(step_s[within], raw.count - 1).median(), 1.0)  # NaN stays


@dataclass(frozen=True)
class _Parts:
    """Trips, and which points of each belong together."""

    raw: RawTrips
    part: NDArray[np.int64]  # [N] rises where a trip is cut

    def cut(self, before: NDArray[np.bool_]) -> _Parts:
        """Cut the trips before these points, [N]."""
        return replace(self, part=self.part + np.cumsum(before))

    def leave_out(self, bad: NDArray[np.bool_], reason: str) -> _Parts:
        """Leave out points [N], and cut where several in a row are left out."""
        several = bad.copy()
        several[1:] &= bad[:-1]
        return _Parts(self.raw.leave_out(bad, reason), self.cut(several).part[~bad])


def _metres(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances between points in degrees, [N, 2] each, in metres, [N]."""
    (lon_a, lat_a), (lon_b, lat_b) = np.radians(a.T), np.radians(b.T)
    with np.errstate(over="ignore", invalid="ignore"):  # numbers that are no place on earth
        return EARTH_RADIUS_M * np.hypot((lon_b - lon_a) * np.cos(lat_b), lat_b - lat_a)


def _too_fast(step_m: NDArray[np.float64], step_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (step_m > MIN_JUMP_M) & (step_m > MAX_SPEED_MPS * step_s)


def _without_jumps(raw: RawTrips) -> _Parts:
    """Leave out spikes, and cut trips between two points that no car could drive between in their time."""
    jump = _too_fast(*steps(raw))
    spike, cut = np.zeros(len(jump), dtype=bool), np.zeros(len(jump), dtype=bool)
    for trip in np.unique(raw.row[jump]):
        start, stop = raw.first[trip], raw.first[trip + 1]
        pieces = np.split(np.arange(start, stop), np.flatnonzero(jump[start:stop]))
        kept = _joined(raw, pieces)
        spike[start:stop] = True
        for piece in kept:
            spike[piece] = False
            cut[piece[0]] = True
    part = np.cumsum(cut)[~spike]
    return _Parts(raw.leave_out(spike, "jump"), part)


def _joined(raw: RawTrips, pieces: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Return the pieces of one trip without spikes, joined where the trip goes on behind one."""
    kept: list[NDArray[np.int64]] = []
    for piece in pieces:
        if len(kept) > 1 and len(kept[-1]) <= MAX_SPIKE and _goes_on(raw, kept[-2][-1], piece[0]):
            kept.pop()
        if kept and _goes_on(raw, kept[-1][-1], piece[0]):
            kept[-1] = np.r_[kept[-1], piece]
        else:
            kept.append(piece)
    longest = max(kept, key=len)
    return [piece for piece in kept if len(piece) > MAX_SPIKE or piece is longest]


def _goes_on(raw: RawTrips, here: int, there: int) -> bool:
    step_m = _metres(raw.lonlat[[here]], raw.lonlat[[there]])
    return not _too_fast(step_m, raw.time_s[[there]] - raw.time_s[[here]])[0]


def _gaps(raw: RawTrips) -> NDArray[np.bool_]:
    """Return before which points nothing was recorded for too long, though the car moved or parked, [N]."""
    step_m, step_s = steps(raw)
    limit_s = np.fmax(GAP_INTERVALS * median_step_s(raw), MIN_GAP_S)
    return (step_s > limit_s[raw.row]) & ~((step_m <= STOP_M) & (step_s <= MAX_STOP_S))


def _apart(parts: _Parts) -> RawTrips:
    """Return the parts of every trip as trips of their own, numbered where there are several."""
    raw, row = parts.raw, parts.raw.row
    begins = np.ones(len(row), dtype=bool)
    begins[1:] = (row[1:] != row[:-1]) | (parts.part[1:] != parts.part[:-1])
    if begins.sum() == len(raw):
        return raw
    starts = np.flatnonzero(begins)
    trip = row[starts]
    of = np.bincount(trip, minlength=len(raw))
    number = Ragged.ranges(0, of).flat
    names = [raw.trip_id[i] if of[i] == 1 else f"{raw.trip_id[i]}-{n}" for i, n in zip(trip, number, strict=True)]
    further = len(starts) - len(raw)
    return replace(raw, trip_id=names, count=np.diff(np.r_[starts, len(row)]), further=raw.further + further)
