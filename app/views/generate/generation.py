"""Generate trips for the choices in the background, with everything that the page shows of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from htp.evaluate.profile import Comparable, Profile, comparable
from htp.trips import Conditions, point_count
from htp_app.jobs.action import forget, result, stop
from htp_app.map.trips import top_kmh, trip_points

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp_app.map.table import PackedTable
    from htp_app.model import Model
    from htp_app.plan import PlannedRoute
    from htp_app.state import Choices

NAME = "generate"  # of the work
VIA = "generate-via"  # in the session: the route that it was started for


@dataclass(frozen=True)
class Generated:
    """Trips, what they were generated for, and what is shown of them."""

    choices: Choices  # with show=True
    trips: gpd.GeoDataFrame
    profile: Profile
    table: PackedTable  # for the map
    max_kmh: int  # end of its speed scale
    comparable: Comparable
    real_points: NDArray[np.int64]  # points of the comparable real trips at this sampling interval
    route_m: float
    free_flow_s: float
    free_flow_kmh: float

    def made_for(self, choices: Choices) -> bool:
        """Whether these are the trips that the choices ask for; which of them is looked at is no matter."""
        return self.choices == replace(choices, show=True, trip=self.choices.trip)

    @property
    def points(self) -> NDArray[np.int64]:
        """Points of each trip."""
        return np.diff(self.profile.first)


def work_for(served: Model, choices: Choices, plan: PlannedRoute) -> Callable[[Callable[[int, int], None]], Generated]:
    """Return what is to be done in the background; `InputError` where the start time does not exist."""
    conditions = Conditions(
        route=plan.route,
        depart=served.generator.city.local_time(choices.depart),
        duration_s=None if choices.duration_s is None else float(choices.duration_s),
        interval_s=None if choices.interval_s is None else float(choices.interval_s),
    )
    st.session_state[VIA] = choices.via
    return lambda progress: _generate(served, choices, plan, conditions, progress)


def collected(choices: Choices) -> Generated | None:
    """Return the trips of the last work, unless their route is no longer the chosen one; such work is stopped."""
    if st.session_state.get(VIA, choices.via) != choices.via:
        stop(NAME)
    generated: Generated | None = result(NAME)
    if generated is not None and generated.choices.via != choices.via:
        forget(NAME)
        return None
    return generated


def _generate(
    served: Model, choices: Choices, plan: PlannedRoute, conditions: Conditions, progress: Callable[[int, int], None]
) -> Generated:
    generator = served.generator
    with served.turn():
        progress(0, choices.count)  # somebody may have pressed Stop while others were served
        trips = generator.generate(
            conditions, n=choices.count, seed=choices.seed, temperature=choices.temperature, progress=progress
        )
    profile = Profile.of(trips, generator.city)
    starts = pd.DatetimeIndex(served.heldout["start_time"])
    like = comparable(served.profile, starts, plan.distance_m, pd.Timestamp(conditions.depart))
    real_s = served.profile.duration_s[like.rows]
    interval_s = conditions.interval_s or generator.recording.interval_s
    return Generated(
        choices=replace(choices, show=True),
        trips=trips,
        profile=profile,
        table=trip_points(trips, profile.speed_kmh),
        max_kmh=top_kmh(profile.speed_kmh),
        comparable=like,
        real_points=np.array([point_count(seconds, interval_s) for seconds in real_s]),
        route_m=plan.distance_m,
        free_flow_s=plan.free_flow_s,
        free_flow_kmh=plan.distance_m / plan.free_flow_s * 3.6,
    )
