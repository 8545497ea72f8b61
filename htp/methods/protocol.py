"""Say what every method answers: fit, generate, save and load, over prepared trips of any city.

A method fills in how it is trained (`_fit`), how trips are made for conditions (`generate`), and how its parts are
written and read (`_save`, `_load`). Checks, pieces of requests and the file of facts are here.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd

from htp.city.linear_referencing import check_roads
from htp.config import with_tuples
from htp.errors import InputError
from htp.files import replacing
from htp.json_files import read_object
from htp.methods.budget import Budget
from htp.recording import MAX_POINTS, MIN_POINTS
from htp.trips import PREPARED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from htp.city.network import City

    Report = Callable[[dict[str, Any]], None]
    Progress = Callable[[int, int], None]
    Make = Callable[[gpd.GeoDataFrame, int, Callable[[int], None]], gpd.GeoDataFrame]

COLUMNS = ["trip_id", "start_time", "interval", "roads"]  # of the conditions that generated trips keep


@dataclass(frozen=True)
class MethodConfig:
    """What every configuration answers; the defaults of each are its published sizes."""

    @classmethod
    def small(cls) -> Self:
        """Return sizes for two cores and a budget of minutes."""
        return cls()

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> Self:
        """Return the configuration read from JSON, whose lists are tuples."""
        return cls(**with_tuples(facts))


C = TypeVar("C", bound=MethodConfig)


class Method(ABC, Generic[C]):
    """A generator of trips that can be trained and compared with others."""

    name: ClassVar[str]
    config_type: ClassVar[type[MethodConfig]]
    builds_on: ClassVar[str | None] = None  # the method whose trained parts it takes, where there are any to take
    config: C
    city: City

    def __init__(self, config: C | None = None, device: str = "cpu") -> None:
        self.config = config or self.config_type()  # type: ignore[assignment]
        self.device = device
        self.trained: list[dict[str, Any]] = []  # stages: epochs, steps, seconds
        self.shared: Path | None = None
        self.base: Path | None = None

    def share(self, folder: Path, base: Path | None = None) -> None:
        """Keep what several methods start from in a folder, or take it from there; take `builds_on` from `base`.

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
        report: Report = print,
    ) -> Self:
        """Train on prepared trips until the budget is spent (None: as the configuration says); return itself."""
        if trips.empty:
            raise InputError("there are no trips to train on; prepare some.")
        check_prepared(trips, city)
        self.city = city
        self.trained = self._fit(trips, budget or Budget(), seed, report)
        return self

    @abstractmethod
    def generate(
        self, like: gpd.GeoDataFrame, *, seed: int = 0, first: int = 0, progress: Progress | None = None
    ) -> gpd.GeoDataFrame:
        """Return a trip for the conditions of each of the prepared trips `like`.

        A trip depends on the seed and its place in the request alone, up to the rounding of batched products; `first`
        is the place of the first trip where `like` is a piece of a request. `progress` hears (done, total).
        """

    def save(self, folder: Path) -> None:
        """Write the trained parts, and config.json last."""
        folder.mkdir(parents=True, exist_ok=True)
        self._save(folder)
        facts = {"method": self.name, "config": asdict(self.config), "trained": self.trained}
        with replacing(folder / "config.json") as path:
            path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, city: City, device: str = "cpu") -> Self:
        """Load what `save` wrote; `InputError` where a file is missing, damaged or of another method or city."""
        try:
            facts = read_object(folder / "config.json")
            name, trained = facts["method"], facts["trained"]
            config = cls.config_type.from_facts(facts["config"]) if name == cls.name else None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise cls.damaged(folder) from error
        if config is None:
            raise InputError(f"{folder}: holds {name}, not {cls.name}; load it as what it is.")
        method = cls(config, device)  # type: ignore[arg-type]
        method.city, method.trained = city, trained
        method._load(folder)
        return method

    @classmethod
    def damaged(cls, folder: Path) -> InputError:
        """Return what is said where a folder does not hold all of the method."""
        return InputError(f"{folder}: holds no whole {cls.name}; train it and save it there.")

    def _in_pieces(self, like: gpd.GeoDataFrame, size: int, make: Make, progress: Progress | None) -> gpd.GeoDataFrame:
        """Return the trips that `make` returns for pieces of conditions, each given where it begins and whom to tell.

        `InputError` where the method is not trained, or the conditions are none or not prepared.
        """
        if not hasattr(self, "city"):
            raise InputError(f"{self.name} is not trained; call fit or load first.")
        if like.empty:
            raise InputError("no trips are asked for; ask for at least one.")
        check_prepared(like, self.city)
        done = 0

        def tell(more: int) -> None:
            nonlocal done
            done += more
            if progress is not None:
                progress(done, len(like))

        made = [make(like.iloc[at : at + size], at, tell) for at in range(0, len(like), size)]
        return gpd.GeoDataFrame(pd.concat(made), crs="EPSG:4326")

    @abstractmethod
    def _fit(self, trips: gpd.GeoDataFrame, budget: Budget, seed: int, report: Report) -> list[dict[str, Any]]:
        """Train on prepared trips; return what each stage came to."""

    @abstractmethod
    def _save(self, folder: Path) -> None:
        """Write the trained parts."""

    @abstractmethod
    def _load(self, folder: Path) -> None:
        """Read the trained parts."""


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
