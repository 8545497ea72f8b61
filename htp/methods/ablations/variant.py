"""Say what HTP and its ablations can do: fit, generate, save and load, as the baselines do.

A variant fills in how it is trained (`_train`), how trips are written for conditions (`_draw`), and how its parts are
saved and loaded. Checks, budgets, pieces of requests and the file of facts are here.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Self

import geopandas as gpd
import numpy as np
import pandas as pd

from htp.city.linear_referencing import check_roads
from htp.config import LanguageConfig, LanguageTraining, TokenizerConfig, TokenizerTraining, with_tuples
from htp.errors import InputError
from htp.files import replacing
from htp.generate import PIECE
from htp.methods.ablations.stages import Stages
from htp.methods.baselines.train import Budget
from htp.tokenizer.tokenizer import MAX_POINTS, MIN_POINTS, decoder_conditions_of
from htp.trips import PREPARED

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp.city.network import City
    from htp.tokenizer.tokenizer import DecoderConditions


@dataclass(frozen=True)
class HTPConfig:
    """The sizes of both stages and how each is trained; the defaults are those of `htp train`."""

    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    tokenizer_training: TokenizerTraining = field(default_factory=TokenizerTraining)
    language_training: LanguageTraining = field(default_factory=LanguageTraining)

    @classmethod
    def small(cls) -> Self:
        """Return what suits two cores and a budget of minutes: the sizes are small already, batches get smaller."""
        return cls(
            tokenizer_training=TokenizerTraining(batch_size=64), language_training=LanguageTraining(batch_size=32)
        )

    @classmethod
    def from_facts(cls, facts: dict[str, dict[str, Any]]) -> Self:
        """Return the configuration read from JSON, whose lists are tuples."""
        return cls(
            TokenizerConfig(**with_tuples(facts["tokenizer"])),
            LanguageConfig(**facts["language"]),
            TokenizerTraining(**facts["tokenizer_training"]),
            LanguageTraining(**facts["language_training"]),
        )


class Variant(ABC):
    """HTP, or HTP with one thing taken away."""

    name: ClassVar[str]
    config_type: ClassVar[type[HTPConfig]] = HTPConfig
    builds_on: ClassVar[str | None] = None  # the method whose trained parts it takes, where there are any to take
    city: City

    def __init__(self, config: HTPConfig | None = None, device: str = "cpu") -> None:
        self.config, self.device = config or self.config_type(), device
        self.trained: list[dict[str, Any]] = []  # stages: epochs, steps, seconds
        self.shared: Path | None = None
        self.base: Path | None = None

    def share(self, folder: Path, base: Path | None = None) -> None:
        """Keep the embedding of roads in a folder, or take it from there; take what it builds on from `base`.

        `base` is the folder of `builds_on`, trained on the same trips with the same budget and seed. Without it `fit`
        trains that as well.
        """
        self.shared, self.base = folder, base

    def fit(
        self,
        trips: gpd.GeoDataFrame,
        city: City,
        budget: Budget | None = None,
        *,
        seed: int = 0,
        report: Callable[[dict[str, Any]], None] = print,
    ) -> Self:
        """Train on prepared trips until the budget is spent (None: as the configuration says); return itself."""
        if trips.empty:
            raise InputError("there are no trips to train on; prepare some.")
        check_prepared(trips, city)
        self.city, stages = city, Stages(budget or Budget(), seed, report)
        with TemporaryDirectory(prefix="htp-") as work:
            self._train(trips, stages, Path(work))
        self.trained = stages.done
        return self

    def generate(
        self,
        like: gpd.GeoDataFrame,
        *,
        seed: int = 0,
        first: int = 0,
        progress: Callable[[int, int], None] | None = None,
    ) -> gpd.GeoDataFrame:
        """Return a trip for the conditions of each of the prepared trips `like`.

        A trip depends on the seed and its place in the request alone, up to the rounding of batched products; `first`
        is the place of the first trip where `like` is a piece of a request. `progress` hears (done, total).
        """
        if not hasattr(self, "city"):
            raise InputError(f"{self.name} is not trained; call fit or load first.")
        if like.empty:
            raise InputError("no trips are asked for; ask for at least one.")
        check_prepared(like, self.city)
        done, pieces = 0, []

        def tell(more: int) -> None:
            nonlocal done
            done += more
            if progress is not None:
                progress(done, len(like))

        for start in range(0, len(like), PIECE):
            piece = like.iloc[start : start + PIECE]
            pieces.append(self._draw(piece, decoder_conditions_of(piece, self.city, seed, first + start), tell))
        return gpd.GeoDataFrame(pd.concat(pieces), crs="EPSG:4326")

    def save(self, folder: Path) -> None:
        """Write config.json and, each in a folder of its own, the trained stages."""
        folder.mkdir(parents=True, exist_ok=True)
        self._save(folder)
        facts = {"method": self.name, "config": asdict(self.config), "trained": self.trained}
        with replacing(folder / "config.json") as path:
            path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, city: City, device: str = "cpu") -> Self:
        """Load what `save` wrote; `InputError` where a file is missing, damaged or of another method or city."""
        try:
            facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            method, trained = facts["method"], facts["trained"]
            config = cls.config_type.from_facts(facts["config"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"{folder}: holds no whole {cls.name}; train it and save it there.") from error
        if method != cls.name:
            raise InputError(f"{folder}: holds {method}, not {cls.name}; load it as what it is.")
        variant = cls(config, device)
        variant.city, variant.trained = city, trained
        variant._load(folder)
        return variant

    @abstractmethod
    def _train(self, trips: gpd.GeoDataFrame, stages: Stages, work: Path) -> None:
        """Train the stages on prepared trips; `work` is an empty folder."""

    @abstractmethod
    def _draw(self, like: gpd.GeoDataFrame, drives: DecoderConditions, tell: Callable[[int], None]) -> gpd.GeoDataFrame:
        """Return a trip for each of the conditions; `tell` hears how many more are written."""

    @abstractmethod
    def _save(self, folder: Path) -> None:
        """Write the trained stages."""

    @abstractmethod
    def _load(self, folder: Path) -> None:
        """Read the trained stages."""


def check_prepared(trips: gpd.GeoDataFrame, city: City) -> None:
    """Raise `InputError` unless the trips are prepared for this city and of a length that can be encoded."""
    missing = [column for column in PREPARED if column not in trips]
    if missing:
        raise InputError(f"the trips have no column {missing[0]!r}; run `htp prepare` on them first.")
    check_roads(city, list(trips["roads"]))
    counts = np.array([len(percent) for percent in trips["percent"]])
    wrong = np.flatnonzero((counts < MIN_POINTS) | (counts > MAX_POINTS))
    if len(wrong):
        name, n = trips["trip_id"].iloc[wrong[0]], counts[wrong[0]]
        raise InputError(f"trip {name} has {n} points; give trips of {MIN_POINTS} to {MAX_POINTS}.")
