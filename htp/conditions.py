"""Turn the conditions that people give into complete ones, and read those that trips were driven under (paper A.1).

What is not given is filled in: the distance from the route, the travel time drawn from the travel-time model. Knows
neither stage's model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htp.compute.random_streams import DURATION, keys_of, stream_of
from htp.errors import InputError
from htp.language.prompt import PromptConditions
from htp.recording import minutes_of
from htp.tokenizer.lengths import length_token
from htp.tokenizer.tokenizer import decoder_conditions_of
from htp.trips import Conditions, Route, point_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.recording import Recording
    from htp.travel_time.model import TravelTimeModel


SLACK_M = 1.0  # a distance may be longer than its route by this, for rounding


@dataclass(frozen=True)
class ConditionBatch:
    """Complete conditions of B trips; the prompt's are at the sampling interval of the models."""

    prompt: PromptConditions
    first_m: NDArray[np.float32]  # [B] NaN where the decoder may say
    duration_s: NDArray[np.float64]  # [B]
    interval_s: NDArray[np.float64]  # [B] as asked
    keys: NDArray[np.uint64]  # [B, 2]

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> ConditionBatch:
        """Return the conditions of some of the trips."""
        prompt = self.prompt
        taken = (prompt.depart[rows], prompt.points[rows], prompt.distance_m[rows], prompt.interval_s[rows])
        some = PromptConditions(
            [prompt.roads[row] for row in np.arange(len(self.keys))[rows]], *taken, prompt.length_tokens[rows]
        )
        return ConditionBatch(some, self.first_m[rows], self.duration_s[rows], self.interval_s[rows], self.keys[rows])


def complete(
    asked: Sequence[Conditions],
    city: City,
    travel_time: TravelTimeModel,
    recording: Recording,
    *,
    seed: int,
    first: int = 0,
) -> ConditionBatch:
    """Fill in what is not given, draws included, and check what is; `recording` is what the models learned from.

    `first` is the place of the first in its request. `InputError` says which of them cannot be generated.
    """
    starts = pd.DatetimeIndex([city.local_time(c.depart) for c in asked])
    keys = keys_of(seed, first, len(asked))
    roads = [np.asarray(c.route.roads, dtype=np.int32) for c in asked]
    first_m, distance_m = np.array([_extent(c, first + at, city) for at, c in enumerate(asked)]).T
    interval_s = np.array(
        [recording.interval_s if c.interval_s is None else c.interval_s for c in asked], dtype=np.float64
    )
    duration_s = _durations(asked, starts, keys, city, travel_time, recording)
    for number, seconds, every_s in zip(keys[:, 1].tolist(), duration_s, interval_s, strict=True):
        _check_duration(seconds, every_s, number, recording)
    points = np.array([point_count(d, recording.interval_s) for d in duration_s])
    prompt = PromptConditions(
        roads,
        starts,
        points,
        distance_m,
        np.full(len(asked), recording.interval_s),
        np.array([length_token(int(n)) for n in points], dtype=np.int8),
    )
    return ConditionBatch(prompt, first_m.astype(np.float32), duration_s, interval_s, keys)


def _extent(asked: Conditions, number: int, city: City) -> tuple[float, float]:
    """Return where the first point lies (NaN: the decoder may say) and the distance to the last, in metres."""
    roads = np.asarray(asked.route.roads)
    if len(roads) == 0 or roads.min() < 0 or roads.max() >= len(city):
        raise InputError(f"trip {number}: the route is empty or names roads that this city does not have.")
    if not city.is_connected(roads):
        gap = int(np.flatnonzero(city.v[roads[:-1]] != city.u[roads[1:]])[0])
        before, after = roads[gap : gap + 2]
        raise InputError(f"trip {number}: the route has a gap: road {after} does not begin where road {before} ends.")
    length = city.length_m[roads]
    if asked.distance_m is None:
        start_m, end_m = asked.route.start_m, length[-1] if asked.route.end_m is None else asked.route.end_m
        if not 0.0 <= start_m <= length[0] + SLACK_M or not 0.0 <= end_m <= length[-1] + SLACK_M:
            raise InputError(
                f"trip {number}: the route begins {start_m:.1f} m along its first road, which is {length[0]:.1f} m "
                f"long, and ends {end_m:.1f} m along its last road, {length[-1]:.1f} m long; choose places on them."
            )
        distance_m = float(length[:-1].sum() + end_m - start_m)
        if distance_m <= 0:
            raise InputError(f"trip {number}: the route ends where it begins; choose places further apart.")
        return asked.route.start_m, distance_m
    shortest, longest = length[1:-1].sum(), length.sum() + SLACK_M
    if not shortest <= asked.distance_m <= longest:
        raise InputError(
            f"trip {number}: a distance of {asked.distance_m:.0f} m does not fit its route; it allows "
            f"{shortest:.0f} to {longest:.0f} m."
        )
    return np.nan, float(min(asked.distance_m, length.sum()))


def _durations(
    asked: Sequence[Conditions],
    starts: pd.DatetimeIndex,
    keys: NDArray[np.uint64],
    city: City,
    travel_time: TravelTimeModel,
    recording: Recording,
) -> NDArray[np.float64]:
    """Return the travel times, drawn where they are not given."""
    duration_s = np.array([np.nan if c.duration_s is None else c.duration_s for c in asked], dtype=np.float64)
    drawn = np.array([at for at, c in enumerate(asked) if c.duration_s is None], dtype=np.int64)
    if len(drawn):
        uniforms = np.array([stream_of(key, DURATION).random() for key in keys[drawn]])
        routes = [asked[at].route for at in drawn]
        duration_s[drawn] = travel_time.draw(city, routes, list(starts[drawn]), uniforms)
        # a drawn time is cut to what the models write, unless it is far from it and no trip was driven so
        shortest_s, longest_s = recording.shortest_s, recording.longest_s
        driven = np.array([asked[at].distance_m is not None for at in drawn])
        cut = drawn[driven | ((duration_s[drawn] > shortest_s / 2) & (duration_s[drawn] < longest_s * 2))]
        duration_s[cut] = np.clip(duration_s[cut], shortest_s, longest_s)
    return duration_s


def conditions_of(trips: gpd.GeoDataFrame, city: City) -> list[Conditions]:
    """Return the conditions that prepared trips were driven under; `InputError` names a trip without a start."""
    missing = trips["start_time"].isna().to_numpy()
    if missing.any():
        trip_id = trips["trip_id"].iloc[int(np.argmax(missing))]
        raise InputError(f"Trip {trip_id} has no start_time; give the time it begins at.")
    driven = decoder_conditions_of(trips, city, seed=0)
    starts, intervals = pd.DatetimeIndex(trips["start_time"]), trips["interval"].to_numpy(dtype=float)
    points = [len(percent) for percent in trips["percent"]]
    durations_s, distances_m = (np.array(points) - 1) * intervals, driven.distance_m.astype(float)
    return [
        Conditions(Route(roads), starts[at], durations_s[at], distances_m[at], intervals[at])
        for at, roads in enumerate(driven.roads)
    ]


def several(asked: Sequence[Conditions], draws: int, *, draw_time: bool) -> list[Conditions]:
    """Return each of the conditions `draws` times; with `draw_time` their travel time is not told but drawn."""
    told = [replace(one, duration_s=None) for one in asked] if draw_time else asked
    return [one for one in told for _ in range(draws)]


def prompt_conditions_of(trips: gpd.GeoDataFrame, city: City) -> PromptConditions:
    """Return what the language model is told of prepared trips, in training."""
    driven = decoder_conditions_of(trips, city, seed=0)
    points = np.array([len(percent) for percent in trips["percent"]])
    return PromptConditions(
        driven.roads,
        pd.DatetimeIndex(trips["start_time"]).tz_convert(city.timezone),
        points,
        np.asarray(driven.distance_m, dtype=np.float64),
        trips["interval"].to_numpy(dtype=np.float64),
        np.array([length_token(int(n)) for n in points], dtype=np.int8),
    )


def _check_duration(seconds: float, interval_s: float, number: int, recording: Recording) -> None:
    if not 1.0 <= interval_s <= 120.0:
        raise InputError(f"trip {number}: a sampling interval of {interval_s:g} s; choose 1 to 120 s.")
    points = point_count(seconds, recording.interval_s) if np.isfinite(seconds) and seconds > 0 else 0
    if not recording.min_points <= points <= recording.max_points:
        raise InputError(
            f"trip {number}: a travel time of {minutes_of(seconds)} min; trips of {recording.minutes} can be "
            "generated, as long as those that were learned from. Choose places closer together or further apart."
        )
    if point_count(seconds, interval_s) < 2:
        raise InputError(f"trip {number}: a point every {interval_s:g} s leaves it one point; choose a shorter time.")
