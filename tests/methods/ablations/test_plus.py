"""Check HTP+: routes of its own, on the stages of HTP that were trained already."""

from __future__ import annotations

import numpy as np
import pytest

from htp.methods.ablations.plus import ROUTES_SHARE
from htp.methods.budget import Budget
from htp.methods.registry import METHODS


@pytest.fixture
def base(tiny, tmp_path):
    """Return the folder of a trained HTP."""
    tiny("HTP").save(tmp_path / "htp")
    return tmp_path / "htp"


@pytest.mark.parametrize("name", ["HTP+", "HTP+ told nothing"])
def test_routes_are_connected_and_as_long_as_was_asked(name, tiny, trips, grid):
    made = tiny(name).generate(trips, seed=3)
    assert not all(np.array_equal(a, b) for a, b in zip(made["roads"], trips["roads"], strict=True))
    for row, roads in enumerate(made["roads"]):
        assert grid.is_connected(np.asarray(roads))
        length_m = {
            key: float(grid.length_m[np.asarray(t["roads"].iloc[row])].sum())
            for key, t in (("made", made), ("asked", trips))
        }
        driven = {
            key: float(t["percent"].iloc[row][-1] - t["percent"].iloc[row][0]) * length_m[key]
            for key, t in (("made", made), ("asked", trips))
        }
        assert driven["made"] == pytest.approx(driven["asked"], abs=0.2)


def test_the_start_road_is_kept_where_it_is_told_and_drawn_where_not(tiny, trips):
    asked = [roads[0] for roads in trips["roads"]]
    starts = {
        name: [r[0] for r in tiny(name).generate(trips, seed=3)["roads"]] for name in ("HTP+", "HTP+ told nothing")
    }
    assert starts["HTP+"] == asked
    assert starts["HTP+ told nothing"] != asked


def test_stages_that_were_trained_are_taken_and_charged(tiny, trips, grid, base, tmp_path):
    method = METHODS["HTP+"].made_by(tiny("HTP").config)
    method.share(tmp_path / "shared", base)
    method.fit(trips, grid, Budget(seconds=1000.0, epochs=1), seed=1, report=lambda _: None)
    whole = tiny("HTP")
    for part in ("tokenizer", "language"):
        one, other = (getattr(m, part).model.state_dict() for m in (method, type(whole).load(base, grid)))
        assert all(np.array_equal(value, other[key]) for key, value in one.items())
    assert [stage["stage"] for stage in method.trained] == ["node2vec", "tokenizer", "offsets", "language", "routes"]
    assert [stage.get("shared", False) for stage in method.trained] == [True] * 4 + [False]
    spent = sum(stage["seconds"] + stage.get("preparation_seconds", 0.0) for stage in whole.trained)
    assert sum(stage["seconds"] for stage in method.trained[:-1]) == pytest.approx(spent, abs=0.01)


def test_routes_have_their_share_of_the_seconds_whatever_the_stages_took(tiny, trips, grid, base):
    method = METHODS["HTP+"].made_by(tiny("HTP").config)
    method.share(base.parent / "shared", base)
    method.fit(trips, grid, Budget(seconds=10.0), seed=1, report=lambda _: None)
    routes = method.trained[-1]
    assert 10.0 * ROUTES_SHARE <= routes["seconds"] < 10.0 * ROUTES_SHARE + 6.0  # a step may take seconds, not all ten
    assert routes["steps"] > 1


def test_told_nothing_takes_the_model_of_routes_as_well(tiny, trips, grid, tmp_path):
    tiny("HTP+").save(tmp_path / "plus")
    method = METHODS["HTP+ told nothing"].made_by(tiny("HTP").config)
    method.share(tmp_path / "shared", tmp_path / "plus")
    method.fit(trips, grid, Budget(epochs=2), seed=1, report=lambda _: None)
    assert all(stage["shared"] for stage in method.trained)
    one, other = (m.routes.model.state_dict() for m in (method, tiny("HTP+")))
    assert all(np.array_equal(value, other[key]) for key, value in one.items())
