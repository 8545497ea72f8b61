"""HTP+: write the route as well, then the trip along it (paper §5.3, Table 3).

Both stages are those of HTP, with all of its budget; the model of routes is trained besides, for a tenth of the budget
(ours). Where HTP of the same seed was trained already its stages are taken, and charged. The paper's HTP+ is told no
road at all; ours is told the start road, and `ToldNothing` is the paper's with the same models.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from htp.conditions import prompt_conditions_of
from htp.config import LanguageTraining
from htp.methods.ablations.whole import HTP
from htp.methods.protocol import COLUMNS
from htp.routes.conditions import ANY_ROAD, RouteConditions, route_conditions_of
from htp.routes.generator import RouteGenerator
from htp.train import fit_routes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd

    from htp.language.prompt import PromptConditions
    from htp.methods.budget import Stages
    from htp.tokenizer.tokenizer import DecoderConditions

ROUTES_SHARE = 0.1  # of a budget's seconds, besides it
ROUTE_TRAINING = LanguageTraining(epochs=4.0, batch_size=64, learning_rate=2e-3)  # as `htp train routes`


class HTPPlus(HTP):
    """Trips along routes of its own, told where they start, when, how long and how far."""

    name = "HTP+"
    builds_on: ClassVar[str | None] = HTP.name
    routes: RouteGenerator

    def _train(self, trips: gpd.GeoDataFrame, stages: Stages, work: Path) -> None:
        if self.base is None:
            super()._train(trips, stages, work)
        else:
            self._take(HTP.load(self.base, self.city, self.device), stages)
        self._train_routes(trips, stages, work / "routes")

    def _take(self, trained: HTP, stages: Stages) -> None:
        """Take the stages of a trained method and charge the time that each took with what came before it."""
        self.tokenizer, self.language = trained.tokenizer, trained.language
        for stage in trained.trained:
            stages.charge(stage["stage"], stage["seconds"] + stage.get("preparation_seconds", 0.0), shared=True)

    def _train_routes(self, trips: gpd.GeoDataFrame, stages: Stages, folder: Path) -> None:
        route_generator = RouteGenerator.new(self.city, self._road_features(), seed=stages.seed)
        route_generator.model.to(self.device)
        settings = stages.settings(ROUTE_TRAINING, stages.spent + ROUTES_SHARE)
        with stages.run("routes", route_generator.model.backbone, len(trips), settings.batch_size) as report:
            fit_routes(route_generator, trips, settings, folder, report)
        self.routes = self._load_routes(folder)

    def _draw(self, like: gpd.GeoDataFrame, drives: DecoderConditions, tell: Callable[[int], None]) -> gpd.GeoDataFrame:
        conditions = prompt_conditions_of(like, self.city)
        roads = self.routes.generate(self._told(conditions), drives.keys)
        length_m = [self.city.length_m[route].sum() for route in roads]
        distance_m = np.minimum(conditions.distance_m, length_m)  # longer by rounding at most
        asked = like[COLUMNS].assign(roads=roads)
        driven = replace(drives, roads=roads, distance_m=distance_m.astype(np.float32))
        return self._write(asked, replace(conditions, roads=roads, distance_m=distance_m), driven, tell)

    def _told(self, conditions: PromptConditions) -> RouteConditions:
        """Return what the model of routes is told."""
        return route_conditions_of(conditions)

    def _save(self, folder: Path) -> None:
        super()._save(folder)
        self.routes.save(folder / "routes")

    def _load(self, folder: Path) -> None:
        super()._load(folder)
        self.routes = self._load_routes(folder / "routes")

    def _load_routes(self, folder: Path) -> RouteGenerator:
        return RouteGenerator.load(folder, self.city, self.tokenizer.model.roads.described, self.device)


class ToldNothing(HTPPlus):
    """The paper's HTP+: the start road is its own as well."""

    name = "HTP+ told nothing"
    builds_on: ClassVar[str | None] = HTPPlus.name

    def _train(self, trips: gpd.GeoDataFrame, stages: Stages, work: Path) -> None:
        if self.base is None:
            super()._train(trips, stages, work)
            return
        trained = HTPPlus.load(self.base, self.city, self.device)
        self._take(trained, stages)
        self.routes = trained.routes

    def _told(self, conditions: PromptConditions) -> RouteConditions:
        told = route_conditions_of(conditions)
        return replace(told, start_road=np.full_like(told.start_road, ANY_ROAD))
