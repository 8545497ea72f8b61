"""Keep a trained model that writes routes; make, load and save it (HTP+, paper 5.3).

In a checkpoint's `routes/`: `config.json` (sizes) and `model.safetensors`. The embedding of roads is
the tokenizer's and is handed in.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError

from htp.compute.weights import load_weights, save_weights
from htp.config import LanguageConfig
from htp.errors import InputError
from htp.files import replacing
from htp.json_files import read_object
from htp.routes.conditions import RouteConditions, check_route_conditions, route_conditions_from
from htp.routes.model import ROUTE_SIZES, RouteModel
from htp.routes.sampling import sample_routes
from htp.trip_source import Sampling
from htp.trips import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from htp.city.network import City
    from htp.trips import Conditions


class RouteGenerator:
    """HTP+: conditions to routes."""

    def __init__(self, model: RouteModel, city: City) -> None:
        self.model, self.city = model.eval(), city

    @classmethod
    def new(
        cls, city: City, features: Tensor, config: LanguageConfig = ROUTE_SIZES, *, seed: int = 0
    ) -> RouteGenerator:
        """Make an untrained writer; `features` [V, F] tell roads apart: node2vec embedding and geometry."""
        torch.manual_seed(seed)
        return cls(RouteModel(config, city, features), city)

    @classmethod
    def load(cls, folder: Path, city: City, features: Tensor, device: str = "cpu") -> RouteGenerator:
        """Load a writer; `InputError` where a file is missing, damaged or made for another city."""
        try:
            facts = read_object(folder / "config.json")
            model = RouteModel(LanguageConfig(**facts), city, features)
            model.load_state_dict(load_weights(folder / "model.safetensors"))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise InputError(
                f"{folder}: the model that writes routes is missing, damaged, or of another city; train it with "
                "`htp train routes`."
            ) from error
        return cls(model.to(device), city)

    def save(self, folder: Path) -> None:
        """Write the model."""
        folder.mkdir(parents=True, exist_ok=True)
        save_weights(self.model.state_dict(), folder / "model.safetensors")
        with replacing(folder / "config.json") as path:
            path.write_text(json.dumps(asdict(self.model.config), indent=2) + "\n", encoding="utf-8")

    def generate(
        self,
        conditions: RouteConditions,
        keys: NDArray[np.uint64],
        sampling: Sampling | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> list[NDArray[np.int32]]:
        """Return a route for each of the facts, see `sample_routes`; `InputError` where the city cannot have one."""
        check_route_conditions(conditions, self.city)
        self.model.eval()
        return sample_routes(self.model, conditions, keys, sampling or Sampling(), progress=progress)

    def regenerate(
        self,
        conditions: Sequence[Conditions],
        keys: NDArray[np.uint64],
        sampling: Sampling | None = None,
        *,
        told: str = "start",
    ) -> list[Conditions]:
        """Return conditions with routes written anew, which know no more of theirs than `told`, one of TOLD."""
        routes = self.generate(route_conditions_from(conditions, self.city, told), keys, sampling)
        return [replace(asked, route=Route(roads)) for asked, roads in zip(conditions, routes, strict=True)]
