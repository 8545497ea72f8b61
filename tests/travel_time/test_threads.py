"""Asking about a few routes takes the thread that asks, and no others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from htp.travel_time.model import FEW, TravelTimeModel
from htp.trips import Route

NOON = pd.Timestamp("2024-05-06 12:00", tz="America/Santiago")
CALLE_0 = Route(np.array([0, 2, 4, 6], dtype=np.int32))


def threads() -> set[int]:
    """Return how many threads OpenMP would take here."""
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"}


@pytest.mark.parametrize(("routes", "taken"), [(1, {1}), (FEW, {1}), (FEW + 1, {3})])
def test_few_routes_take_one_thread_and_many_take_all(grid, routes, taken):
    seen = []

    class Watching:
        def predict(self, features):
            seen.append(threads())
            return np.zeros(len(features))

    with threadpool_limits(3, user_api="openmp"):
        TravelTimeModel([Watching()]).quantiles(grid, [CALLE_0] * routes, [NOON] * routes)
        assert threads() == {3}
    assert seen == [taken]
