"""Check that node2vec is computed once for the same roads and settings, and charged to each that takes it."""

from __future__ import annotations

import numpy as np
import pytest

from htp.methods.ablations import road_vectors
from htp.methods.budget import Budget
from htp.methods.registry import METHODS
from htp.tokenizer.tokenizer import Tokenizer


@pytest.fixture
def computed(monkeypatch):
    """Count how often node2vec runs; return the count in a list."""
    calls, node2vec = [], road_vectors.node2vec

    def counted(*arguments):
        calls.append(arguments)
        return node2vec(*arguments)

    monkeypatch.setattr(road_vectors, "node2vec", counted)
    return calls


def test_the_same_roads_are_embedded_once(grid, tmp_path, computed):
    first = road_vectors.road_vectors(grid, 16, 3, tmp_path)
    again = road_vectors.road_vectors(grid, 16, 3, tmp_path)
    assert len(computed) == 1
    assert (first.shared, again.shared) == (False, True)
    assert again.seconds == first.seconds > 0.0
    np.testing.assert_array_equal(again.vectors.numpy(), first.vectors.numpy())


def test_another_city_dimension_or_seed_is_embedded_anew(grid, triangle, tmp_path, computed):
    for city, dim, seed in ((grid, 16, 3), (grid, 8, 3), (grid, 16, 4), (triangle, 16, 3)):
        found = road_vectors.road_vectors(city, dim, seed, tmp_path)
        assert found.vectors.shape == (len(city), dim)
    assert len(computed) == 4


def test_a_damaged_file_is_made_anew(grid, tmp_path, computed):
    road_vectors.road_vectors(grid, 16, 3, tmp_path)
    next(tmp_path.iterdir()).write_bytes(b"no tensors")
    assert not road_vectors.road_vectors(grid, 16, 3, tmp_path).shared
    assert road_vectors.road_vectors(grid, 16, 3, tmp_path).shared
    assert len(computed) == 2


def test_methods_that_share_the_embedding_start_as_without(grid, trips, tiny, tmp_path):
    road_vectors.road_vectors(grid, 16, 1, tmp_path)
    method = METHODS["HTP"].made_by(tiny("HTP").config)
    method.share(tmp_path)
    method.fit(trips, grid, Budget(epochs=2), seed=1, report=lambda _: None)
    assert method.trained[0]["shared"]
    alone = tiny("HTP").tokenizer.model.state_dict()
    assert all(np.array_equal(value, alone[name]) for name, value in method.tokenizer.model.state_dict().items())


def test_the_untrained_tokenizer_is_that_of_htp_train(grid, tiny, monkeypatch):
    variant = METHODS["HTP"].made_by(tiny("HTP").config)
    variant.city, made = grid, Tokenizer.new(variant.config.tokenizer, grid, seed=5)
    monkeypatch.setattr(variant, "_road_vectors", lambda _: made.model.roads.node2vec)
    again = variant._new_tokenizer(type("Stages", (), {"seed": 5})())
    state = again.model.state_dict()
    assert all(np.array_equal(value, state[name], equal_nan=True) for name, value in made.model.state_dict().items())
