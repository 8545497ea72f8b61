"""Say what every baseline can do: fit, generate, save and load, over prepared trips of any city.

A method fills in three things: its networks (`_build`), how they are trained (`_train`) and how points of a fixed
number are drawn for conditions (`_draw`). Normalising, resampling, random streams and files are here. Generated points
are what the network says: nothing is snapped to roads, repaired or thrown away.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import geopandas as gpd
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from htp.city.linear_referencing import lines_through
from htp.config import with_tuples
from htp.errors import InputError
from htp.files import replacing
from htp.methods.baselines.data import AttributeBatch, Normalisation, first_points, points_of, resample
from htp.methods.baselines.streams import Streams
from htp.methods.baselines.train import Budget, Training

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor, nn

    from htp.city.network import City

COLUMNS = ["trip_id", "start_time", "interval", "roads"]  # of the conditions that generated trips keep
FURTHEST = 10.0  # deviations from the mean at which generated points are cut, so that they are places on Earth; ours
SAMPLERS = ("ddim", "ddpm")


@dataclass(frozen=True)
class DiffusionSampling:
    """How trips are drawn; methods without diffusion know the batch only."""

    steps: int = 100  # of DDIM; DDPM takes all that the method was trained with
    sampler: str = "ddim"  # or "ddpm"
    batch_size: int = 64
    own_roads: bool = False  # Cardiff alone: it makes up the road instead of taking the one asked for

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.sampler not in SAMPLERS:
            raise InputError(f"the sampler is {self.sampler!r}; choose {' or '.join(SAMPLERS)}.")
        if self.steps < 1 or self.batch_size < 1:
            raise InputError(f"{self.steps} steps in batches of {self.batch_size}; give at least 1 of each.")


@dataclass(frozen=True)
class BaselineConfig:
    """What every method's configuration has; the defaults of each are its published sizes."""

    length: int = 200  # points that a trip is resampled to, L
    batch_size: int = 1024
    epochs: int = 200
    learning_rate: float = 2e-4

    def reduction(self) -> dict[str, list[Any]]:
        """Return what differs from the published sizes, field to [published, here], for a report to state."""
        published = type(self)()
        pairs = {field.name: [getattr(published, field.name), getattr(self, field.name)] for field in fields(self)}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


C = TypeVar("C", bound=BaselineConfig)


class Baseline(ABC, Generic[C]):
    """A generator of trips that HTP is compared with."""

    name: ClassVar[str]
    config_type: ClassVar[type[BaselineConfig]]
    config: C
    city: City
    scale: Normalisation
    model: nn.Module

    def __init__(self, config: C | None = None, device: str = "cpu") -> None:
        self.config = config or self.config_type()  # type: ignore[assignment]
        self.device = torch.device(device)
        self.trained: list[dict[str, Any]] = []  # stages: epochs, steps, seconds

    def fit(
        self,
        trips: gpd.GeoDataFrame,
        city: City,
        budget: Budget | None = None,
        *,
        seed: int = 0,
        report: Callable[[dict[str, Any]], None] = print,
    ) -> Self:
        """Train on prepared trips until the budget is spent (None: as long as published); return itself."""
        if trips.empty:
            raise InputError("there are no trips to train on; prepare some.")
        training = Training(budget or Budget(), seed, report)
        self.city, self.scale = city, Normalisation.of(trips, city)
        torch.manual_seed(seed)
        self.model = self._build().to(self.device).train()
        points = points_of(trips, self.scale, self.config.length)
        self._train(points, AttributeBatch.of(trips, city, self.scale), training)
        self.trained = training.done
        self.model.eval()
        return self

    def generate(
        self,
        like: gpd.GeoDataFrame,
        *,
        seed: int = 0,
        first: int = 0,
        sampling: DiffusionSampling | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> gpd.GeoDataFrame:
        """Return a trip for the conditions of each of the prepared trips `like`, with its number of points.

        A trip depends on the seed and its place in the request alone, up to the rounding of batched products; `first`
        is the place of the first trip where `like` is a piece of a request. `progress` hears (done, total).
        """
        if not hasattr(self, "model"):
            raise InputError(f"{self.name} is not trained; call fit or load first.")
        if like.empty:
            raise InputError("no trips are asked for; ask for at least one.")
        sampling, wanted, parts = sampling or DiffusionSampling(), AttributeBatch.of(like, self.city, self.scale), []
        for start in range(0, len(like), sampling.batch_size):
            rows = np.arange(start, min(start + sampling.batch_size, len(like)))
            with torch.inference_mode():
                streams = Streams(seed, [first + int(row) for row in rows], self.device)
                drawn = self._draw(wanted.rows(rows, self.device), streams, sampling)
            parts.append(drawn.float().cpu().numpy())
            if progress is not None:
                progress(int(rows[-1]) + 1, len(like))
        return self._to_trips(like, np.concatenate(parts))

    def _to_trips(self, like: gpd.GeoDataFrame, drawn: np.ndarray) -> gpd.GeoDataFrame:
        """Return points [B, 2, L] as trips with the conditions and the numbers of points of `like`."""
        if not np.isfinite(drawn).all():
            raise InputError(f"{self.name} draws what is no number, so its training has failed; train it anew.")
        points = np.clip(drawn, -FURTHEST, FURTHEST).transpose(0, 2, 1)
        counts = np.diff(first_points(like))
        resampled = resample(points.reshape(-1, 2).astype(np.float64), np.full(len(like), self.config.length), counts)
        lines = lines_through(self.scale.to_lonlat(resampled), counts)
        return gpd.GeoDataFrame(like[COLUMNS].copy(), geometry=lines, crs="EPSG:4326")

    def save(self, folder: Path) -> None:
        """Write config.json, scale.json and model.safetensors."""
        folder.mkdir(parents=True, exist_ok=True)
        facts = {"method": self.name, "config": asdict(self.config), "trained": self.trained}
        with replacing(folder / "config.json") as path:
            path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        self.scale.save(folder / "scale.json")
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in self.model.state_dict().items()}
        with replacing(folder / "model.safetensors") as path:
            save_file(state, path)

    @classmethod
    def load(cls, folder: Path, city: City, device: str = "cpu") -> Self:
        """Load what `save` wrote; `InputError` where a file is missing, damaged or of another method or city."""
        try:
            facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            method = facts["method"]
            settings = with_tuples(facts["config"])
            scale, trained = Normalisation.load(folder / "scale.json"), facts["trained"]
            state = load_file(folder / "model.safetensors")
        except (OSError, ValueError, TypeError, KeyError, AttributeError, SafetensorError) as error:
            raise InputError(f"{folder}: holds no whole baseline; train {cls.name} and save it there.") from error
        if method != cls.name:
            raise InputError(f"{folder}: holds {method}, not {cls.name}; load it as what it is.")
        try:
            baseline = cls(cls.config_type(**settings), device)  # type: ignore[arg-type]
            baseline.city, baseline.scale, baseline.trained = city, scale, trained
            baseline.model = baseline._build()
            baseline.model.load_state_dict(state)
        except (ValueError, TypeError, RuntimeError) as error:
            raise InputError(f"{folder}: {cls.name} is damaged or of another city; train it on this one.") from error
        baseline.model = baseline.model.to(baseline.device).eval()
        return baseline

    @abstractmethod
    def _build(self) -> nn.Module:
        """Return the untrained networks for `config` and `city`."""

    @abstractmethod
    def _train(self, points: Tensor, wanted: AttributeBatch, training: Training) -> None:
        """Train `model` on normalised points [B, 2, L] and their conditions."""

    @abstractmethod
    def _draw(self, wanted: AttributeBatch, streams: Streams, sampling: DiffusionSampling) -> Tensor:
        """Return normalised points [B, 2, L] for conditions."""
