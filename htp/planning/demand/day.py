"""Draw the trips of a day: places in their zones, departures by hour, fastest routes, travel times.

Where two places have no route, or their drive is shorter or longer than the models make, other places are drawn in
the same zones, `TRIES` times in all; what is still left out then is counted by reason. Its table, zones, hours, date
and seed decide a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtri

from htp.errors import InputError
from htp.planning.demand.routes import fastest_routes
from htp.recording import minutes_of
from htp.travel_time.model import QUANTILES
from htp.trips import Conditions, Route

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from htp.city import City
    from htp.generate import Generator
    from htp.planning.demand.table import Flows
    from htp.planning.demand.zones import Zones
    from htp.recording import Recording
    from htp.travel_time.model import TravelTimeModel

    Progress = Callable[[int, int], None]

HOURS = 24
TRIES = 5
LONGEST_SEED = 2**31 - 1  # the parts of a day have seeds of their own above it
NO_ROUTE, TOO_SHORT, TOO_LONG = range(3)  # why a trip is left out


@dataclass(frozen=True)
class Timetable:
    """When the trips of a day depart."""

    day: dt.date
    shares: tuple[float, ...]  # of the departures in each hour, of any sum
    seed: int = 1

    def __post_init__(self) -> None:
        """Raise `InputError` where the shares are no profile of a day."""
        check_shares(self.shares)
        if not 0 <= self.seed <= LONGEST_SEED:
            raise InputError(f"the seed is {self.seed}; give 0 to {LONGEST_SEED}.")


@dataclass(frozen=True)
class Day:
    """What the N trips of a day are made for, in an order in which any beginning is a sample of the whole day."""

    conditions: list[Conditions]
    pair: NDArray[np.int64]  # [N, 2] rows of the zones where each starts and ends
    left_out: dict[str, int]  # reason to trips

    def __len__(self) -> int:
        return len(self.conditions)


def plan_day(
    generator: Generator, zones: Zones, flows: Flows, timetable: Timetable, progress: Progress | None = None
) -> Day:
    """Draw the trips of a day; `progress` hears how many have their route; `InputError` where none can be made."""
    city, recording = generator.city, generator.recording
    rng = np.random.default_rng(timetable.seed)
    order = rng.permutation(flows.total)
    pair = np.repeat(np.column_stack([flows.origin, flows.destination]), flows.trips, axis=0)[order]
    departs = departures(city, timetable, flows.total, rng)
    conditions: list[Conditions | None] = [None] * flows.total
    reason = np.zeros(flows.total, dtype=np.int64)
    open_trips = np.arange(flows.total)
    for _ in range(TRIES):
        starts, ends = (zones.draw(city, pair[open_trips, side], rng) for side in (0, 1))
        hear = _further(flows.total - len(open_trips), flows.total, progress)
        routes = fastest_routes(city.router, starts, ends, hear)
        draws = rng.uniform(QUANTILES[0], QUANTILES[-1], len(open_trips))
        durations_s = draw_durations(generator.travel_time, city, routes, departs[open_trips], draws)
        for trip, route, seconds in zip(open_trips.tolist(), routes, durations_s.tolist(), strict=True):
            reason[trip] = NO_ROUTE if route is None else TOO_SHORT if seconds < recording.shortest_s else TOO_LONG
            if route is not None and recording.shortest_s <= seconds <= recording.longest_s:
                conditions[trip] = Conditions(route, departs[trip], seconds)
        open_trips = np.array([trip for trip in open_trips if conditions[trip] is None], dtype=np.int64)
        if not len(open_trips):
            break
    return _day_of(conditions, pair, reason[open_trips], recording)


def departures(city: City, timetable: Timetable, total: int, rng: np.random.Generator) -> pd.DatetimeIndex:
    """Draw when each of `total` trips departs: each hour has exactly its share, in any order, evenly within the hour.

    `InputError` where an hour with trips does not exist because clocks are set forward.
    """
    counts = apportion(timetable.shares, total)
    hour = rng.permutation(np.repeat(np.arange(HOURS), counts))
    seconds = hour * 3600 + rng.integers(0, 3600, total)
    local = pd.Timestamp(timetable.day) + pd.to_timedelta(seconds, unit="s")
    times = local.tz_localize(city.timezone, ambiguous=np.ones(total, dtype=bool), nonexistent="NaT")
    if times.hasnans:
        missing = int(hour[times.isna()][0])
        raise InputError(
            f"{timetable.day} has no time from {missing}:00 to {missing + 1}:00 in {city.timezone}, for clocks are set "
            "forward; give that hour no departures or choose another day."
        )
    return times


def apportion(shares: Iterable[float], total: int) -> NDArray[np.int64]:
    """Return whole numbers of that sum by their shares, the greatest remainders rounded up."""
    exact = np.array(list(shares), dtype=float)
    exact = exact / exact.sum() * total
    whole = np.floor(exact + 1e-9).astype(np.int64)  # 0.3 * 10 is a little below 3
    most = np.argsort(-(exact - whole), kind="stable")[: total - whole.sum()]
    whole[most] += 1
    return whole


def check_shares(shares: Iterable[float]) -> None:
    """Raise `InputError` unless there is a share for each of 24 hours and some trips depart."""
    values = np.array(list(shares), dtype=float)
    if len(values) != HOURS:
        raise InputError(f"the day's profile has {len(values)} hours; give the share of each of {HOURS}.")
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if len(bad):
        raise InputError(f"the share of departures from {bad[0]}:00 is {values[bad[0]]:g}; give 0 or more.")
    if not values.sum() > 0:
        raise InputError("no trip departs in any hour; give at least one hour a share above 0.")


def shares_of(starts: pd.Series) -> tuple[float, ...]:
    """Return the share of trips that depart in each hour of the day, in percent, one decimal."""
    counts = np.bincount(pd.DatetimeIndex(starts).hour, minlength=HOURS)
    return tuple((counts / max(counts.sum(), 1) * 100).round(1).tolist())


def draw_durations(
    model: TravelTimeModel,
    city: City,
    routes: list[Route | None],
    departs: pd.DatetimeIndex,
    uniforms: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Draw how long each drive takes in seconds, [N], NaN without a route.

    Of the model it asks the quantiles alone; between them, log seconds run straight over the normal score.
    """
    drawn = np.full(len(routes), np.nan)
    some = np.array([at for at, route in enumerate(routes) if route is not None], dtype=np.int64)
    if len(some):
        there = [route for route in routes if route is not None]
        logs = np.log(model.quantiles(city, there, list(departs[some])))
        knots, score = ndtri(np.array(QUANTILES)), ndtri(uniforms[some])
        drawn[some] = np.exp([np.interp(s, knots, row) for s, row in zip(score, logs, strict=True)])
    return drawn


def reasons_of(recording: Recording) -> dict[int, str]:
    """Return in words why trips are left out of a day whose models write trips of this recording."""
    return {
        NO_ROUTE: "no route leads there",
        TOO_SHORT: f"shorter than {minutes_of(recording.shortest_s)} min",
        TOO_LONG: f"longer than {minutes_of(recording.longest_s)} min",
    }


def _day_of(
    conditions: list[Conditions | None], pair: NDArray[np.int64], reasons: NDArray[np.int64], recording: Recording
) -> Day:
    kept = np.array([at for at, one in enumerate(conditions) if one is not None], dtype=np.int64)
    counts = np.bincount(reasons, minlength=3)
    left_out = {said: int(counts[reason]) for reason, said in reasons_of(recording).items() if counts[reason]}
    if not len(kept):
        said = ", ".join(f"{count:,} {reason}" for reason, count in left_out.items())
        raise InputError(f"none of the trips can be made ({said}); choose zones further apart or on connected roads.")
    return Day([one for one in conditions if one is not None], pair[kept], left_out)


def _further(done: int, total: int, progress: Progress | None) -> Progress | None:
    """Count the trips of a later try behind those that are done."""
    if progress is None:
        return None
    return lambda now, _: progress(done + now, total)
