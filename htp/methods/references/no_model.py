"""Make trips without a model of movement: at constant speed, or as fast as each road allows.

They keep everything that the conditions give away: route, travel time, distance, number of points. Their offsets are
drawn as HTP draws them, so that movement alone is what they lack.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError

from htp.city.linear_referencing import RouteLines
from htp.compute.ragged import Ragged
from htp.compute.weights import load_weights, save_weights
from htp.generate import PIECE
from htp.methods.budget import Stages
from htp.methods.protocol import COLUMNS, Method, MethodConfig
from htp.tokenizer.features import describe
from htp.tokenizer.offsets import OffsetDensity
from htp.tokenizer.offsets_train import BATCH_SIZE, fit_offsets
from htp.tokenizer.scatter import drawn_offsets, placed
from htp.tokenizer.tokenizer import decoder_conditions_of, with_points

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.methods.budget import Budget
    from htp.methods.protocol import Progress, Report
    from htp.tokenizer.tokenizer import DecoderConditions

WEIGHTS = "offsets.safetensors"


class NoModel(Method[MethodConfig]):
    """Trips whose places along the route follow from their conditions; only offsets are learned."""

    config_type = MethodConfig
    noise: OffsetDensity

    @abstractmethod
    def _seconds(self, lines: RouteLines) -> NDArray[np.float64]:
        """Return how long each road of the routes takes, [R]; only their ratio counts."""

    def generate(
        self, like: gpd.GeoDataFrame, *, seed: int = 0, first: int = 0, progress: Progress | None = None
    ) -> gpd.GeoDataFrame:
        """Return a trip for the conditions of each of the prepared trips `like`."""

        def make(piece: gpd.GeoDataFrame, at: int, tell: Callable[[int], None]) -> gpd.GeoDataFrame:
            conditions = decoder_conditions_of(piece, self.city, seed, first + at)
            lines = RouteLines.of(self.city, conditions.roads)
            places = self._places(lines, conditions, [len(percent) for percent in piece["percent"]])
            offset_m = drawn_offsets(self.noise, lines, places, conditions.interval_s, conditions.keys)
            tell(len(piece))
            return with_points(piece[COLUMNS], placed(self.city, lines, places, offset_m))

        return self._in_pieces(like, PIECE, make, progress)

    def _places(self, lines: RouteLines, conditions: DecoderConditions, points: list[int]) -> Ragged[np.float64]:
        """Return where the points of each trip lie along its route, metres.

        The first and the last are as far apart as told, in the middle of what the first and the last road allow.
        """
        roads = lines.roads
        seconds = roads.like(self._seconds(lines))
        ends_s = seconds.sum_before() + seconds.flat
        placed_m = []
        for row, count in enumerate(points):
            of = slice(roads.first[row], roads.first[row + 1])
            start_m, length_m = lines.road_start_m[of], lines.road_length_m[of]
            driven_m = float(conditions.distance_m[row])
            low_m = max(start_m[-1] - driven_m, 0.0)
            high_m = max(min(length_m[0], lines.length_m[row] - driven_m), low_m)
            begin_m = (low_m + high_m) / 2
            places_m, clock_s = np.r_[0.0, start_m + length_m], np.r_[0.0, ends_s[of]]
            begin_s, end_s = np.interp([begin_m, begin_m + driven_m], places_m, clock_s)
            placed_m.append(np.interp(np.linspace(begin_s, end_s, count), clock_s, places_m))
        return Ragged.of(placed_m, np.float64)

    def _fit(self, trips: gpd.GeoDataFrame, budget: Budget, seed: int, report: Report) -> list[dict[str, Any]]:
        stages = Stages(budget, seed, report)
        torch.manual_seed(seed)
        self.noise = OffsetDensity().to(self.device)
        with stages.run("offsets", self.noise.memory, len(trips), BATCH_SIZE) as tell:
            fit_offsets(self.noise, describe(trips, self.city), seed=seed, report=tell, seconds=stages.left_s(1.0))
        return stages.done

    def _save(self, folder: Path) -> None:
        save_weights(self.noise.state_dict(), folder / WEIGHTS)

    def _load(self, folder: Path) -> None:
        self.noise = OffsetDensity()
        try:
            self.noise.load_state_dict(load_weights(folder / WEIGHTS))
        except (OSError, RuntimeError, SafetensorError) as error:
            raise self.damaged(folder) from error
        self.noise.to(self.device).eval()


class ConstantSpeed(NoModel):
    """Every trip at one speed from its first point to its last."""

    name = "constant speed"

    def _seconds(self, lines: RouteLines) -> NDArray[np.float64]:
        return lines.road_length_m


class SpeedLimits(NoModel):
    """Every trip at a fixed share of the speed limit of each road."""

    name = "speed limits"

    def _seconds(self, lines: RouteLines) -> NDArray[np.float64]:
        return lines.road_length_m / self.city.roads["speed_kmh"].to_numpy(dtype=float)[lines.roads.flat]
