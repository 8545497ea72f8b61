"""Make trips like held-out ones, once for everybody whom this process serves, and measure both sides.

The held-out trips are the first of one fixed random order, so that a greater number holds the smaller one. They carry
what the generated trips are asked for: route, start time, travel time and distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from htp.evaluate.aligned import AlignedSurveyor
from htp.evaluate.density import cell_floor, road_floor
from htp_app.stores import BY_PLACE, keep, store

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from htp.evaluate.density import Floor
    from htp.evaluate.measure import Measures
    from htp.trips import Conditions
    from htp_app.model import Model
    from htp_app.state import Comparison

KEPT = 8  # measured sets of either side
MADE = "measures of generated trips"


def heldout_sample(served: Model, count: int | None) -> gpd.GeoDataFrame:
    """Return so many held-out trips (None: all)."""
    order = np.random.default_rng(0).permutation(len(served.heldout))
    return served.heldout.iloc[np.sort(order[:count])]


@st.cache_resource(show_spinner="Measuring the held-out trips …", max_entries=KEPT, hash_funcs=BY_PLACE)
def heldout_measures(served: Model, count: int | None) -> Measures:
    """Measure so many held-out trips (None: all)."""
    return surveyor_of(served).measure_trips(heldout_sample(served, count))


@st.cache_resource(show_spinner=False, max_entries=KEPT * 8, hash_funcs=BY_PLACE)
def heldout_floor(served: Model, count: int | None, hours: tuple[int, int], *, roads: bool) -> Floor:
    """Return what chance alone makes of so many held-out trips, on roads or on cells."""
    floor = road_floor if roads else cell_floor
    return floor(heldout_measures(served, count), hours)


def generated_measures(served: Model, choices: Comparison) -> Measures | None:
    """Return the measured trips that somebody has already had generated for these choices."""
    made: dict[tuple[int | None, int], Measures] = store(MADE, served)
    return made.get((choices.count, choices.seed))


def work_for(served: Model, choices: Comparison) -> Callable[[Callable[[int, int], None]], None]:
    """Return what is to be done in the background: generate, measure and keep what `generated_measures` returns."""
    surveyor, made = surveyor_of(served), store(MADE, served)  # here, as a thread has no session
    like = heldout_sample(served, choices.count)

    def work(progress: Callable[[int, int], None]) -> None:
        with served.turn():
            progress(0, len(like))  # somebody may have pressed Stop while others were served
            if (choices.count, choices.seed) in made:  # others had asked for the same
                return
            trips = served.generator.generate(conditions_like(served, like), seed=choices.seed, progress=progress)
            keep(made, (choices.count, choices.seed), surveyor.measure_trips(trips), KEPT)

    return work


@st.cache_resource(show_spinner=False, hash_funcs=BY_PLACE)
def surveyor_of(served: Model) -> AlignedSurveyor:
    """Return what measures trips of this model's city."""
    return AlignedSurveyor(served.generator.city)


def conditions_like(served: Model, like: gpd.GeoDataFrame) -> list[Conditions]:
    """Return what trips are asked for that are like these."""
    from htp.conditions import conditions_of  # noqa: PLC0415  brings PyTorch, which is there when trips are asked for

    return conditions_of(like, served.generator.city)
