"""Offer a tokenizer small enough for tests: untrained, and after a few steps on random trips through the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from htp.config import TokenizerConfig
from htp.tokenizer.batch import Batches
from htp.tokenizer.features import describe
from htp.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from htp.city.network import City
    from htp.tokenizer.batch import Batch

SIZES = {"codebook_sizes": (4, 6, 8), "dims": (16, 16, 16, 32), "quantizer_dim": 8}


@pytest.fixture(scope="session")
def tiny_config() -> Callable[..., TokenizerConfig]:
    """Return what makes a config of a few thousand weights; other settings by name."""
    return lambda **other: TokenizerConfig(**SIZES, head_dim=16, road_dim=16, road_layers=1, **other)


@pytest.fixture(scope="session")
def trips(grid: City, random_trips: Callable[..., gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Return trips of every length that leaves a different remainder, short and long."""
    return random_trips(grid, [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 24, 26, 40, 64, 65, 30], seed=5)


@pytest.fixture(scope="session")
def fitted(grid: City, trips: gpd.GeoDataFrame, tiny_config: Callable[..., TokenizerConfig]) -> Tokenizer:
    """Return a tokenizer after three steps, so that its codebooks stand for something; not to be changed."""
    tokenizer = Tokenizer.new(tiny_config(), grid, seed=1)
    batch = Batches(describe(trips, grid)).collate(np.arange(len(trips)))
    optimizer = torch.optim.Adam(tokenizer.model.parameters(), lr=1e-2)
    tokenizer.model.train()
    for _ in range(3):
        optimizer.zero_grad()
        tokenizer.model(batch).loss.backward()
        optimizer.step()
    return Tokenizer(tokenizer.model, grid)


@pytest.fixture
def batch(grid: City, trips: gpd.GeoDataFrame) -> Batch:
    """Return all the trips in one batch."""
    return Batches(describe(trips, grid)).collate(np.arange(len(trips)))
