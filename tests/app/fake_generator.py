"""Stand in for a trained generator: trips at half the speed limits with stops, and nothing learned."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from fake_tokenizer import FakeTokenizer

from htp.city.linear_referencing import RouteLines
from htp.errors import InputError
from htp.recording import Recording
from htp.tokenizer.lengths import length_token
from htp.travel_time.model import QUANTILES
from htp.trips import POINTS_PER_PATTERN, Conditions, Route, point_count

if TYPE_CHECKING:
    from htp.city import City

STOPS = (0.2, 0.45, 0.7)  # places along the route, as shares of it, where about half of the trips wait
NOISE_M = 3.0
RECORDING = Recording(15.0, 2, 1024)  # the toy cities' drives are short
_heldout_of: dict[int, tuple[City, gpd.GeoDataFrame]] = {}  # by the city's id, which stays its own while it is kept


class FakeTravelTime:
    """Twice the free-flow time, give or take."""

    def quantiles(self, city: City, routes: list[Route], departs: list[pd.Timestamp]) -> np.ndarray:
        assert len(departs) == len(routes)
        return np.array([[2 * city.free_flow_s[r.roads].sum() * (0.7 + 0.6 * q) for q in QUANTILES] for r in routes])


def tokens_of(trip: dict) -> dict:
    """Return codes that tell where they are: a_k, b_k, c_k, d_k for the k-th pattern, ending on roads evenly spread."""
    duration_s = (len(trip["percent"]) - 1) * float(trip["interval"])
    points = point_count(duration_s, RECORDING.interval_s)
    number = np.arange(-(-points // POINTS_PER_PATTERN), dtype=np.int16)
    anchors = np.linspace(0, len(trip["roads"]) - 1, len(number)).astype(np.int16)
    return {"patterns": np.repeat(number, 4), "anchors": anchors, "length_token": length_token(points)}


class FakeGenerator:
    """Answer the calls that the app makes of `htp.Generator`."""

    def __init__(self, city: City, seconds_per_trip: float = 0.002) -> None:
        self.city, self.recording = city, RECORDING
        self.travel_time = FakeTravelTime()
        self.tokenizer = FakeTokenizer()
        self.seconds_per_trip = seconds_per_trip

    def generate(self, conditions, n=1, *, seed=0, temperature=1.0, progress=None):
        assert temperature > 0
        asked = [conditions] * n if isinstance(conditions, Conditions) else list(conditions)
        if any(one.duration_s is not None and one.duration_s / (one.interval_s or 15.0) < 2 for one in asked):
            raise InputError("a trip needs 8 points or more; give it more time or a shorter interval.")
        trips = []
        for i, one in enumerate(asked):
            time.sleep(self.seconds_per_trip)
            trip = self._trip(one, np.random.default_rng([seed, i]), f"trip-{i}")
            trips.append(trip | tokens_of(trip))
            if progress is not None:
                progress(i + 1, len(asked))
        return gpd.GeoDataFrame(trips, crs="EPSG:4326")

    def heldout(self) -> gpd.GeoDataFrame:
        """Return 300 trips, the same for a city; made once a process, as they take a second and every test asks."""
        if id(self.city) not in _heldout_of:
            _heldout_of[id(self.city)] = self.city, self._heldout()
        return _heldout_of[id(self.city)][1].copy()

    def _heldout(self) -> gpd.GeoDataFrame:
        rng = np.random.default_rng(5)
        rows = []
        while len(rows) < 300:
            places = self.city.to_lonlat(self.city.xy_m[rng.integers(0, len(self.city.xy_m), 2)])
            try:
                route = self.city.route([tuple(place) for place in places])
            except InputError:
                continue
            depart = pd.Timestamp("2024-05-14", tz=self.city.timezone) + pd.Timedelta(minutes=rng.integers(360, 1320))
            rows.append(self._trip(Conditions(route, depart), rng, f"real-{len(rows)}"))
        return gpd.GeoDataFrame(rows, crs="EPSG:4326")

    def _trip(self, conditions: Conditions, rng: np.random.Generator, name: str) -> dict:
        lines = RouteLines.of(self.city, [conditions.route.roads])
        length_m = lines.length_m[0]
        last_m = (
            length_m
            if conditions.route.end_m is None
            else (length_m - self.city.length_m[conditions.route.roads[-1]] + conditions.route.end_m)
        )
        duration_s = conditions.duration_s or (
            2 * self.city.free_flow_s[conditions.route.roads].sum() * rng.uniform(0.8, 1.4)
        )
        interval_s = RECORDING.interval_s if conditions.interval_s is None else conditions.interval_s
        points = max(8, round(duration_s / interval_s) + 1)
        pace = rng.gamma(4.0, size=points)
        for stop in STOPS:
            if rng.random() < 0.5:
                at = int(stop * points)
                pace[at : at + rng.integers(1, 5)] = 0.001
        pace[0] = 0.0
        place_m = conditions.route.start_m + np.cumsum(pace) / pace.sum() * (last_m - conditions.route.start_m)
        xy_m = lines.place(np.zeros(points, np.int64), place_m) + rng.normal(0, NOISE_M, (points, 2))
        return {
            "trip_id": name,
            "start_time": conditions.depart,
            "interval": np.float32(interval_s),
            "roads": conditions.route.roads,
            "percent": (place_m / length_m).astype(np.float32),
            "geometry": shapely.LineString(self.city.to_lonlat(xy_m)),
        }
