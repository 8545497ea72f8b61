"""Offer every baseline in a size that is trained and drawn from in a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from htp.methods.baselines.cardiff import CardiffConfig
from htp.methods.baselines.controltraj import ControlTrajConfig
from htp.methods.baselines.difftraj import DiffTrajConfig
from htp.methods.baselines.diffwave import DiffWaveConfig
from htp.methods.baselines.trajgan import TrajGANConfig
from htp.methods.baselines.trajvae import TrajVAEConfig
from htp.methods.budget import Budget
from htp.methods.registry import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from htp.city.network import City
    from htp.methods.baselines.baseline import Baseline, BaselineConfig

UNET = {"base": 8, "multipliers": (1, 2), "groups": 2, "time_width": 16, "attribute_width": 8, "diffusion_steps": 20}
LSTM = {"hidden": 8, "layers": 1, "code": 4, "position_width": 4, "attribute_width": 4}
STACK = {"channels": 8, "layers": 3, "cycle": 2, "step_widths": (8, 16), "diffusion_steps": 20, "attribute_width": 4}
COMMON = {"length": 15, "batch_size": 4, "learning_rate": 0.02}  # an odd length, which halves to 8 and comes back
SEGMENTS = {"segment_width": 16, "segment_layers": (1, 1), "segment_feed_forward": 16, "tokens": 3, "token_width": 8}
TINY: dict[str, BaselineConfig] = {
    "trajgan": TrajGANConfig(**COMMON, **LSTM, wide=8),
    "trajgan conditioned": TrajGANConfig(**COMMON, **LSTM, wide=8, conditioned=True),
    "trajvae": TrajVAEConfig(**COMMON, **LSTM),
    "trajvae conditioned": TrajVAEConfig(**COMMON, **LSTM, conditioned=True),
    "diffwave": DiffWaveConfig(**COMMON, **STACK),
    "diffwave conditioned": DiffWaveConfig(**COMMON, **STACK, conditioned=True),
    "difftraj": DiffTrajConfig(**COMMON, **UNET),
    "difftraj textbook": DiffTrajConfig(**COMMON, **UNET, guidance="textbook"),
    "controltraj": ControlTrajConfig(**COMMON, **UNET, attended=(0,), road_points=20, road_width=8, road_layers=(1, 1)),
    "cardiff": CardiffConfig(
        **COMMON, **UNET, **SEGMENTS, attended=(0,), road_depth=1, road_width=16, road_heads=2, gathering_layers=1
    ),
}


@pytest.fixture(scope="session", params=list(TINY))
def name(request: pytest.FixtureRequest) -> str:
    """Return each of the names of `TINY`, one after another."""
    return request.param


@pytest.fixture(scope="session")
def untrained() -> Callable[[str], Baseline]:
    """Return what makes the untrained baseline of a name of `TINY`."""
    return lambda name: METHODS[name.split(maxsplit=1)[0]].made_by(TINY[name])


@pytest.fixture(scope="session")
def trips(grid: City, random_trips: Callable[..., gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Return trips of 20 to 60 points through the grid."""
    return random_trips(grid, [20, 33, 60, 24, 41, 28, 35, 22, 50, 26], seed=4)


@pytest.fixture(scope="session")
def tiny(grid: City, trips: gpd.GeoDataFrame, untrained: Callable[[str], Baseline]) -> Callable[[str], Baseline]:
    """Return what gives the baseline of a name of `TINY`, trained for two epochs of two steps; not to be changed."""
    made: dict[str, Baseline] = {}

    def get(name: str) -> Baseline:
        if name not in made:
            made[name] = untrained(name).fit(trips, grid, Budget(epochs=2), seed=1, report=lambda _: None)
        return made[name]

    return get
