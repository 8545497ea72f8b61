"""Check what HTP and every ablation promise: fit, generate as asked, save and load, whatever the batch."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import shapely

from htp.errors import InputError
from htp.methods.budget import Budget
from htp.methods.registry import METHODS
from htp.trips import read_trips, write_trips

CLOSE = 2e-5  # degrees, two metres: the tables round, and so do products of other shapes


def coordinates(trips):
    return shapely.get_coordinates(trips.geometry.to_numpy())


def test_a_trip_is_generated_for_each_of_the_conditions(name, tiny, trips, tmp_path):
    heard = []
    made = tiny(name).generate(trips, seed=3, progress=lambda done, total: heard.append((done, total)))
    points = shapely.get_num_coordinates(made.geometry)
    if name != "free length":
        assert list(points) == [20, 33, 60, 24, 41, 28, 35, 22, 50, 26]
    for column in ("trip_id", "start_time", "interval"):
        pd.testing.assert_series_equal(made[column], trips[column])
    if not name.startswith("HTP+"):
        assert all(np.array_equal(a, b) for a, b in zip(made["roads"], trips["roads"], strict=True))
    assert made.crs == "EPSG:4326"
    assert heard[-1] == (10, 10)
    write_trips(made, tmp_path / "made.parquet")
    np.testing.assert_array_equal(coordinates(read_trips(tmp_path / "made.parquet")), coordinates(made))


def test_tables_carry_what_a_variant_writes(name, tiny, trips):
    columns = set(tiny(name).generate(trips.iloc[:2])) - {"trip_id", "start_time", "interval", "roads", "geometry"}
    whole = {"length_token", "patterns", "anchors", "percent", "offset"}
    missing = {"w/o RQ-VAE": whole, "w/o R-Loss": {"percent", "offset"}, "no anchors": {"anchors"}}
    assert columns == whole - missing.get(name, set())


def test_a_trip_is_the_same_whatever_the_piece_and_another_for_another_seed(name, tiny, trips):
    variant = tiny(name)
    together, piece = variant.generate(trips, seed=3), variant.generate(trips.iloc[6:], seed=3, first=6)
    np.testing.assert_allclose(coordinates(piece), coordinates(together.iloc[6:]), atol=CLOSE)
    assert not np.array_equal(coordinates(variant.generate(trips.iloc[6:], seed=4, first=6)), coordinates(piece))


def test_what_is_saved_generates_the_same_trips_again(name, tiny, trips, grid, tmp_path):
    variant = tiny(name)
    variant.save(tmp_path)
    again = type(variant).load(tmp_path, grid)
    assert again.config == variant.config
    assert again.trained == variant.trained
    before, after = (v.generate(trips, seed=5) for v in (variant, again))
    np.testing.assert_array_equal(coordinates(after), coordinates(before))


def test_each_stage_says_what_it_came_to(name, tiny):
    roads, *stages = tiny(name).trained
    assert roads["stage"] == "node2vec"
    assert not roads["shared"]
    names = {"w/o RQ-VAE": "language", "regressed offsets": "tokenizer language", "w/o R-Loss": "tokenizer language"}
    expected = names.get(name, "tokenizer offsets language") + (" routes" if name.startswith("HTP+") else "")
    assert [stage["stage"] for stage in stages] == expected.split()
    for stage in stages:
        size = {"offsets": 10, "routes": 10}.get(stage["stage"], 2 if name == "w/o RQ-VAE" else 8)
        assert stage["batch_size"] == size
        assert (stage["epochs"], stage["steps"]) == (2.0, 2 * -(-10 // size))
        assert stage["seconds"] > 0
        assert stage["preparation_seconds"] >= 0


def test_the_use_of_each_layers_codes_is_kept_of_the_tokenizers_training(tiny):
    use = next(stage for stage in tiny("HTP").trained if stage["stage"] == "tokenizer")["code_use"]
    assert use["steps"] == [4]  # two epochs of two steps: less than a window
    assert all(0.0 < share <= 1.0 for share in use["shares"][0])
    assert len(use["shares"][0]) == 4


def test_a_model_of_another_city_is_refused(name, tiny, triangle, tmp_path):
    tiny(name).save(tmp_path)
    with pytest.raises(InputError, match=r"the city has 3|of another city"):
        METHODS[name].made_by.load(tmp_path, triangle)


def test_a_model_of_another_kind_is_refused(tiny, grid, tmp_path):
    tiny("HTP").save(tmp_path)
    with pytest.raises(InputError, match="holds HTP, not w/o R-Loss; load it as what it is"):
        METHODS["w/o R-Loss"].made_by.load(tmp_path, grid)


@pytest.mark.parametrize("facts", [None, "{", "[]", '{"method": "HTP", "config": {}, "trained": []}'])
def test_a_damaged_folder_is_refused(facts, grid, tmp_path):
    if facts is not None:
        (tmp_path / "config.json").write_text(facts)
    with pytest.raises(InputError, match="holds no whole HTP; train it and save it there"):
        METHODS["HTP"].made_by.load(tmp_path, grid)


def test_facts_are_readable(tiny, tmp_path):
    tiny("HTP").save(tmp_path)
    facts = json.loads((tmp_path / "config.json").read_text())
    assert facts["method"] == "HTP"
    assert facts["config"]["tokenizer"]["codebook_sizes"] == [4, 6, 8, 10]
    assert [stage["stage"] for stage in facts["trained"]] == ["node2vec", "tokenizer", "offsets", "language"]


def test_a_budget_in_seconds_ends_the_training(trips, grid, tiny):
    lines = []
    config = tiny("HTP").config
    variant = METHODS["HTP"].made_by(config).fit(trips, grid, Budget(seconds=1.5, batch_size=4), report=lines.append)
    _, first, offsets, second = variant.trained
    assert all(1 <= stage["steps"] < 1000 for stage in (first, second))  # epochs alone would let it go on for ever
    assert first["batch_size"] == second["batch_size"] == 4
    assert offsets["steps"] >= 1
    assert {line["stage"] for line in lines} == {"tokenizer", "offsets", "language"}


def test_the_same_seed_trains_the_same_weights(trips, grid, tiny):
    config = tiny("HTP").config
    again = METHODS["HTP"].made_by(config).fit(trips, grid, Budget(epochs=2), seed=1, report=lambda _: None)
    for part in ("tokenizer", "language"):
        one, other = (getattr(variant, part).model.state_dict() for variant in (tiny("HTP"), again))
        assert all(np.array_equal(one[key], other[key]) for key in one)


def test_bad_input_is_refused_before_anything_is_trained(trips, grid, triangle, tiny):
    with pytest.raises(InputError, match="no trips to train on"):
        METHODS["HTP"].made_by().fit(trips.iloc[:0], grid)
    with pytest.raises(InputError, match="no column 'percent'; run `htp prepare`"):
        METHODS["HTP"].made_by().fit(trips.drop(columns="percent"), grid)
    with pytest.raises(InputError, match="Triangle does not have"):
        METHODS["HTP"].made_by().fit(trips, triangle)
    with pytest.raises(InputError, match="w/o OOV is not trained; call fit or load first"):
        METHODS["w/o OOV"].made_by().generate(trips)
    with pytest.raises(InputError, match="ask for at least one"):
        tiny("HTP").generate(trips.iloc[:0])
    short = trips.iloc[:1].assign(percent=[trips["percent"].iloc[0][:7]])
    with pytest.raises(InputError, match="trip trip-0 has 7 points; give trips of 8 to 1024"):
        tiny("HTP").generate(short)
