"""Draw how long a drive along a route takes at a time of the week (paper A.1: "travel time estimation methods").

Trips say how much longer than at the speed limits a drive took: log(duration / free-flow seconds). Gradient boosting
learns its quantiles over features of the driven route and the time of the week; a draw inverts the quantile function,
so that drawn trips vary as much as real ones. Features, quantiles and tails are ours. Knows nothing of models of trips.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy.special import ndtri

from htp.errors import InputError
from htp.files import replacing
from htp.json_files import read_object
from htp.travel_time.features import FEATURES, DrivenRoutes, RoadTable, free_flow_seconds, route_features
from htp.travel_time.trees import BoostedTrees
from htp.trips import read_trips

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from sklearn.ensemble import HistGradientBoostingRegressor

    from htp.city.network import City
    from htp.trips import Route

VERSION = 2
QUANTILES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
TAIL = 0.002  # a uniform below it, or above one minus it, is drawn as it: no drive takes for ever
MIN_TRIPS = 20
MODEL_FILE, FACTS_FILE = "travel_time.safetensors", "travel_time.json"


@dataclass
class TravelTimeModel:
    """The quantiles of log(duration / free-flow seconds), one gradient boosting each."""

    trees: BoostedTrees  # a booster for each of QUANTILES
    _roads: tuple[City, RoadTable] | None = field(default=None, repr=False)  # of the city asked about last

    @classmethod
    def fit(cls, trips: gpd.GeoDataFrame | Path | str, city: City) -> TravelTimeModel:
        """Learn from prepared trips; `InputError` where they are too few or not prepared."""
        if isinstance(trips, Path | str):
            trips = read_trips(trips, ["trip_id", "start_time", "interval", "roads", "percent", "geometry"])
        missing = sorted({"start_time", "interval", "roads", "percent"} - set(trips.columns))
        if missing:
            raise InputError(f"the trips have no column {missing[0]!r}; prepare them first with `htp prepare`.")
        if len(trips) < MIN_TRIPS:
            raise InputError(f"{len(trips)} trips are too few to learn travel times from; give {MIN_TRIPS} or more.")
        table, drives = RoadTable.of_city(city), DrivenRoutes.of_trips(city, trips)
        features = route_features(table, drives, pd.DatetimeIndex(trips["start_time"]).tz_convert(city.timezone))
        target = np.log(durations_s(trips) / free_flow_seconds(table, drives))
        return cls(BoostedTrees.of([_booster(quantile).fit(features, target) for quantile in QUANTILES]), (city, table))

    def quantiles(self, city: City, routes: Sequence[Route], departs: Sequence[pd.Timestamp]) -> NDArray[np.float64]:
        """Return the travel times in seconds at each of `QUANTILES`, never decreasing, [N, len(QUANTILES)]."""
        table, drives = self._table(city), DrivenRoutes.of_routes(city, routes)
        features = route_features(table, drives, _local(departs, city))
        logs = self.trees.predict(features)
        return free_flow_seconds(table, drives)[:, None] * np.exp(np.sort(logs, axis=1))  # quantiles may cross: sorted

    def draw(
        self, city: City, routes: Sequence[Route], departs: Sequence[pd.Timestamp], uniforms: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Draw a travel time in seconds for each route, [N], by inverting its quantile function at `uniforms` [N].

        A draw depends on its own route, time and uniform (0 to 1) alone. Between quantiles, log seconds run straight
        over the normal score of the probability; beyond the outermost as steep as between the last two, to `TAIL`.
        """
        knots = ndtri(np.array(QUANTILES))
        score = ndtri(np.clip(np.asarray(uniforms, dtype=float), TAIL, 1 - TAIL))
        logs = np.log(self.quantiles(city, routes, departs))
        left = np.clip(np.searchsorted(knots, score, side="right") - 1, 0, len(knots) - 2)
        weight = (score - knots[left]) / (knots[left + 1] - knots[left])
        row = np.arange(len(logs))
        return np.exp(logs[row, left] * (1 - weight) + logs[row, left + 1] * weight)

    def save(self, folder: Path | str) -> None:
        """Write the model to a folder: the trees as safetensors, what they expect as JSON."""
        folder = Path(folder)
        facts = {"version": VERSION, "features": list(FEATURES), "quantiles": list(QUANTILES)}
        self.trees.save(folder / MODEL_FILE)
        with replacing(folder / FACTS_FILE) as path:
            path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path | str) -> TravelTimeModel:
        """Read a model; `InputError` where a file is missing, damaged or of another version."""
        folder = Path(folder)
        if not (folder / FACTS_FILE).is_file():
            raise InputError(f"{folder}: {FACTS_FILE} is missing; get the checkpoint again.")
        try:
            facts = read_object(folder / FACTS_FILE)
        except InputError as error:
            raise InputError(f"{folder}: {FACTS_FILE} is damaged; get the checkpoint again.") from error
        found = [facts.get(key) for key in ("version", "features", "quantiles")]
        if found != [VERSION, list(FEATURES), list(QUANTILES)]:
            raise InputError(f"{folder}: the travel-time model is of another version of htp; fit it again.")
        if not (folder / MODEL_FILE).is_file():
            raise InputError(f"{folder}: {MODEL_FILE} is missing; get the checkpoint again.")
        return cls(BoostedTrees.load(folder / MODEL_FILE, len(QUANTILES), len(FEATURES)))

    def _table(self, city: City) -> RoadTable:
        if self._roads is None or self._roads[0] is not city:
            self._roads = (city, RoadTable.of_city(city))
        return self._roads[1]


def durations_s(trips: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return how long each trip took from its first point to its last, in seconds, [N]."""
    return (shapely.get_num_coordinates(trips.geometry.to_numpy()) - 1) * trips["interval"].to_numpy(dtype=float)


def _booster(quantile: float) -> HistGradientBoostingRegressor:
    """Return an untrained booster.

    Sizes are ours: on the first simulated day, held out, a mean pinball loss of 24.1 s (40.9 s without features). 200
    trees of 31 leaves reach 23.3 s, but some of their quantiles cover 3.5 points too few of the trips.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415  takes seconds; generation does without

    return HistGradientBoostingRegressor(
        loss="quantile",
        quantile=quantile,
        max_iter=60,
        learning_rate=0.15,
        max_leaf_nodes=15,
        min_samples_leaf=50,
        early_stopping=False,
        random_state=0,
    )


def _local(departs: Sequence[pd.Timestamp], city: City) -> pd.DatetimeIndex:
    naive = next((depart for depart in departs if depart.tzinfo is None), None)
    if naive is not None:
        raise InputError(f"the start time {naive} has no time zone; give it in the city's, {city.timezone}.")
    return pd.DatetimeIndex(pd.to_datetime(list(departs), utc=True)).tz_convert(city.timezone)
