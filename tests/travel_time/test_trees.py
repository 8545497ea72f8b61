"""Check that trees kept as flat arrays say what scikit-learn's say, and that none that lead astray are followed."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from safetensors.numpy import save_file
from sklearn.ensemble import HistGradientBoostingRegressor

from htp.errors import InputError
from htp.travel_time import trees
from htp.travel_time.trees import AT_ONCE, MOST_STEPS, BoostedTrees

FEATURES = 3


@pytest.fixture(scope="module")
def boosters():
    random = np.random.default_rng(0)
    rows = random.normal(size=(800, FEATURES))
    target = rows[:, 0] * rows[:, 1] + random.normal(size=800)
    settings = {"loss": "quantile", "max_iter": 9, "max_leaf_nodes": 8}
    make = (HistGradientBoostingRegressor(quantile=quantile, **settings) for quantile in (0.2, 0.8))
    return [booster.fit(rows, target) for booster in make]


@pytest.fixture(scope="module")
def grown(boosters):
    return BoostedTrees.of(boosters)


@pytest.fixture
def read(tmp_path):
    def load(grown):
        grown.save(tmp_path / "trees.safetensors")
        return BoostedTrees.load(tmp_path / "trees.safetensors", 2, FEATURES)

    return load


@pytest.mark.parametrize("rows", [0, 1, AT_ONCE, 2 * AT_ONCE + 1])
def test_they_predict_to_the_bit_what_scikit_learn_predicts(boosters, grown, read, rows):
    features = 2 * np.random.default_rng(1).normal(size=(rows, FEATURES))
    expected = [booster.predict(features) if rows else [] for booster in boosters]
    assert read(grown).predict(features).T.tolist() == [list(column) for column in expected]


def test_a_row_on_a_threshold_goes_left_as_in_scikit_learn(boosters, grown):
    inner = grown.left != np.arange(len(grown.left))
    features = np.zeros((inner.sum(), FEATURES))
    features[np.arange(len(features)), grown.feature[inner]] = grown.number[inner]
    expected = np.column_stack([booster.predict(features) for booster in boosters])
    np.testing.assert_array_equal(grown.predict(features), expected)


def changed(grown, name, at, value):
    array = getattr(grown, name).copy()
    array[at] = value
    return replace(grown, **{name: array})


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        ("left", 0, 10_000),
        ("right", 0, 0),
        ("right", 2, 1),
        ("left", 0, -1),
        ("roots", (1, 3), 10_000),
        ("roots", (0, 0), -1),
        ("feature", 0, FEATURES),
        ("feature", 0, -1),
        ("number", 4, np.nan),
        ("baseline", 1, np.inf),
    ],
)
def test_trees_that_lead_out_of_themselves_are_refused(grown, read, name, at, value):
    with pytest.raises(InputError, match=r"trees\.safetensors: the file is damaged, its trees are not whole"):
        read(changed(grown, name, at, value))


def chain(steps):
    """Return two boosters of a single tree each, in which so many steps lead from the root to the farthest leaf."""
    own = np.arange(2 * steps + 1, dtype=np.int32)
    inner = (own % 2 == 0) & (own < 2 * steps)
    left, right = np.where(inner, own + 1, own), np.where(inner, own + 2, own)
    zeros = np.zeros(len(own))
    return BoostedTrees(np.zeros(2), np.zeros((2, 1), np.int32), zeros.astype(np.int16), zeros, left, right)


def test_no_way_down_may_be_longer_than_any_that_is_learned(read):
    assert read(chain(MOST_STEPS)).predict(np.ones((1, FEATURES))).tolist() == [[0.0, 0.0]]
    with pytest.raises(InputError, match="not whole"):
        read(chain(MOST_STEPS + 1))


@pytest.mark.parametrize("name", list(trees.TYPES))
def test_arrays_of_other_kinds_or_lengths_are_refused(grown, read, name):
    array = getattr(grown, name)
    for other in (array.astype(np.float32), array[:-1], array[None]):
        with pytest.raises(InputError, match="damaged"):
            read(replace(grown, **{name: np.ascontiguousarray(other)}))


def test_a_file_that_lacks_an_array_or_has_one_more_is_refused(grown, tmp_path):
    path, arrays = tmp_path / "trees.safetensors", asdict(grown)
    for other in (arrays | {"more": np.zeros(1)}, {name: arrays[name] for name in list(arrays)[1:]}):
        save_file(other, path)
        with pytest.raises(InputError, match="the file is damaged; get the checkpoint again"):
            BoostedTrees.load(path, 2, FEATURES)


def test_a_file_without_end_is_refused_unread(grown, tmp_path, monkeypatch):
    grown.save(tmp_path / "trees.safetensors")
    monkeypatch.setattr(trees, "MAX_BYTES", 1000)
    monkeypatch.setattr(trees, "load_file", None)
    with pytest.raises(InputError, match="damaged"):
        BoostedTrees.load(tmp_path / "trees.safetensors", 2, FEATURES)
