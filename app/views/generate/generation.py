"""Generate trips for the choices in the background, with everything that the page shows of them."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from htp.evaluate.profile import Comparable, Profile, comparable
from htp.trips import Conditions, point_count
from htp_app.jobs.job import Job
from htp_app.map.trips import trip_points

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp_app.map.table import PackedTable
    from htp_app.model import Model
    from htp_app.plan import PlannedRoute
    from htp_app.state import Choices

_one_at_a_time = threading.Lock()  # two generations at once are slower together than one after the other


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
    free_flow_s: float
    free_flow_kmh: float

    def made_for(self, choices: Choices) -> bool:
        """Whether these are the trips that the choices ask for; which of them is looked at is no matter."""
        return self.choices == replace(choices, show=True, trip=self.choices.trip)

    @property
    def points(self) -> NDArray[np.int64]:
        """Points of each trip."""
        return np.diff(self.profile.first)


def start(model: Model, choices: Choices, plan: PlannedRoute) -> None:
    """Start generating for this session; `InputError` at once where the start time does not exist."""
    conditions = Conditions(
        route=plan.route,
        depart=model.generator.city.local_time(choices.depart),
        duration_s=None if choices.duration_s is None else float(choices.duration_s),
        interval_s=float(choices.interval_s),
    )
    st.session_state["job"] = Job(lambda progress: _generate(model, choices, plan, conditions, progress))
    st.session_state["job_via"] = choices.via


def running() -> bool:
    """Whether this session's generation still goes on."""
    return "job" in st.session_state


def collected(choices: Choices) -> Generated | None:
    """Return the trips of this session's last generation, unless their route is no longer the chosen one."""
    job = st.session_state.get("job")
    if job is not None and st.session_state["job_via"] != choices.via:
        job.stop()
    if job is not None and not job.running:
        del st.session_state["job"]
        _take(job)
    generated = st.session_state.get("generated")
    if generated is not None and generated.choices.via != choices.via:
        del st.session_state["generated"]
        return None
    return generated


def _take(job: Job[Generated]) -> None:
    if job.crash is not None:
        raise job.crash
    if job.error is not None:
        st.session_state["trouble"] = str(job.error)
    elif job.result is not None:
        st.session_state["generated"] = job.result


def _generate(
    model: Model, choices: Choices, plan: PlannedRoute, conditions: Conditions, progress: Callable[[int, int], None]
) -> Generated:
    generator = model.generator
    with turn(model):
        progress(0, choices.count)  # somebody may have pressed Stop while others were served
        trips = generator.generate(
            conditions, n=choices.count, seed=choices.seed, temperature=choices.temperature, progress=progress
        )
    profile = Profile.of(trips, generator.city)
    starts = pd.DatetimeIndex(model.heldout["start_time"])
    like = comparable(model.profile, starts, plan.distance_m, pd.Timestamp(conditions.depart))
    real_s = model.profile.duration_s[like.rows]
    return Generated(
        choices=replace(choices, show=True),
        trips=trips,
        profile=profile,
        table=trip_points(trips, profile.speed_kmh),
        max_kmh=round_up(float(np.quantile(profile.speed_kmh, 0.98))),
        comparable=like,
        real_points=np.array([point_count(seconds, conditions.interval_s) for seconds in real_s]),
        free_flow_s=plan.free_flow_s,
        free_flow_kmh=plan.distance_m / plan.free_flow_s * 3.6,
    )


def turn(served: Model) -> AbstractContextManager[object]:
    """Return what generates one after another in this process; a service shares itself out, and may be slow for one."""
    return _one_at_a_time if served.remote is None else nullcontext()


def round_up(kmh: float) -> int:
    """Return the end of a speed scale whose quarters are whole numbers."""
    return max(20, int(np.ceil(kmh / 20)) * 20)
