"""Say what the baselines have in common: points of a fixed number, drawn for conditions.

A baseline fills in three things: its networks (`network_type`), how they are trained (`_train`) and how points of a
fixed number are drawn for conditions (`_draw`). Normalising, resampling, random streams and files are here. Generated
points are what the network says: nothing is snapped to roads, repaired or thrown away.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import geopandas as gpd
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from htp.city.linear_referencing import lines_through
from htp.errors import InputError
from htp.files import replacing
from htp.methods.baselines.data import AttributeBatch, Normalisation, Streams, first_points, points_of, resample
from htp.methods.baselines.train import Training
from htp.methods.protocol import COLUMNS, Method, MethodConfig

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor, nn

    from htp.methods.budget import Budget
    from htp.methods.protocol import Progress, Report

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
class BaselineConfig(MethodConfig):
    """What every baseline's configuration has; the defaults of each are its published sizes."""

    length: int = 200  # points that a trip is resampled to, L
    batch_size: int = 1024
    epochs: int = 200
    learning_rate: float = 2e-4


C = TypeVar("C", bound=BaselineConfig)
N = TypeVar("N", bound="nn.Module")


class Baseline(Method[C], Generic[C, N]):
    """A generator of trips that HTP is compared with."""

    network_type: ClassVar[Callable[..., nn.Module]]
    scale: Normalisation
    model: N

    def generate(
        self,
        like: gpd.GeoDataFrame,
        *,
        seed: int = 0,
        first: int = 0,
        progress: Progress | None = None,
        sampling: DiffusionSampling | None = None,
    ) -> gpd.GeoDataFrame:
        """Return a trip for the conditions of each of the prepared trips `like`, with its number of points."""
        sampling = sampling or DiffusionSampling()

        def make(piece: gpd.GeoDataFrame, at: int, tell: Callable[[int], None]) -> gpd.GeoDataFrame:
            wanted = AttributeBatch.of(piece, self.city, self.scale)
            streams = Streams(seed, range(first + at, first + at + len(piece)), self.device)
            with torch.inference_mode():
                drawn = self._draw(wanted.rows(np.arange(len(piece)), self.device), streams, sampling)
            tell(len(piece))
            return self._to_trips(piece, drawn.float().cpu().numpy())

        return self._in_pieces(like, sampling.batch_size, make, progress)

    def _fit(self, trips: gpd.GeoDataFrame, budget: Budget, seed: int, report: Report) -> list[dict[str, Any]]:
        training = Training(budget, seed, report)
        self.scale = Normalisation.of(trips, self.city)
        torch.manual_seed(seed)
        self.model = self._build().to(self.device).train()
        points = points_of(trips, self.scale, self.config.length)
        self._train(points, AttributeBatch.of(trips, self.city, self.scale), training)
        self.model.eval()
        return training.done

    def _to_trips(self, like: gpd.GeoDataFrame, drawn: np.ndarray) -> gpd.GeoDataFrame:
        """Return points [B, 2, L] as trips with the conditions and the numbers of points of `like`."""
        if not np.isfinite(drawn).all():
            raise InputError(f"{self.name} draws what is no number, so its training has failed; train it anew.")
        points = np.clip(drawn, -FURTHEST, FURTHEST).transpose(0, 2, 1)
        counts = np.diff(first_points(like))
        resampled = resample(points.reshape(-1, 2).astype(np.float64), np.full(len(like), self.config.length), counts)
        lines = lines_through(self.scale.to_lonlat(resampled), counts)
        return gpd.GeoDataFrame(like[COLUMNS].copy(), geometry=lines, crs="EPSG:4326")

    def _save(self, folder: Path) -> None:
        self.scale.save(folder / "scale.json")
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in self.model.state_dict().items()}
        with replacing(folder / "model.safetensors") as path:
            save_file(state, path)

    def _load(self, folder: Path) -> None:
        try:
            self.scale = Normalisation.load(folder / "scale.json")
            state = load_file(folder / "model.safetensors")
        except (OSError, ValueError, TypeError, KeyError, AttributeError, SafetensorError) as error:
            raise self.damaged(folder) from error
        try:
            self.model = self._build()
            self.model.load_state_dict(state)
        except (ValueError, TypeError, RuntimeError) as error:
            raise InputError(f"{folder}: {self.name} is damaged or of another city; train it on this one.") from error
        self.model.to(self.device).eval()

    def _build(self) -> N:
        """Return the untrained networks for `config` and `city`."""
        return self.network_type(self.config)  # type: ignore[return-value]

    @abstractmethod
    def _train(self, points: Tensor, wanted: AttributeBatch, training: Training) -> None:
        """Train `model` on normalised points [B, 2, L] and their conditions."""

    @abstractmethod
    def _draw(self, wanted: AttributeBatch, streams: Streams, sampling: DiffusionSampling) -> Tensor:
        """Return normalised points [B, 2, L] for conditions."""
