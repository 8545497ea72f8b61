"""Check the way from trips to patterns and back: shapes, independence of the batch, files, bad input."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import shapely
import torch
from safetensors.torch import load_file

from htp.errors import InputError
from htp.tokenizer.model import RegressingDecoder
from htp.tokenizer.scatter import random_numbers
from htp.tokenizer.tokenizer import Patterns, Tokenizer, decoder_conditions_of, with_points


@pytest.fixture(scope="module")
def patterns(fitted, trips):
    return fitted.encode(trips)


@pytest.fixture(scope="module")
def saved(fitted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    fitted.save(folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "tokenizer")


def of_trip(patterns, row):
    here = slice(patterns.first[row], patterns.first[row + 1])
    return Patterns(
        patterns.codes[here],
        patterns.anchors[here],
        np.array([0, here.stop - here.start]),
        patterns.points[row : row + 1],
    )


def test_eight_points_are_one_pattern_of_a_code_a_layer(patterns, trips, fitted):
    counts = np.array([len(percent) for percent in trips["percent"]])
    np.testing.assert_array_equal(np.diff(patterns.first), -(-counts // 8))
    assert patterns.codes.shape == (patterns.first[-1], 3)
    assert (patterns.codes >= 0).all()
    assert (patterns.codes < fitted.model.config.codebook_sizes).all()
    assert patterns.length_tokens[trips.index[counts == 26][0]] == 3


def test_a_trip_has_the_same_codes_alone_and_among_others(fitted, trips, patterns):
    for row in (0, 5, 11, 14):
        alone = fitted.encode(trips.iloc[[row]])
        assert alone.codes.tolist() == of_trip(patterns, row).codes.tolist()
        assert alone.anchors.tolist() == of_trip(patterns, row).anchors.tolist()


def test_decoding_gives_a_point_for_a_point_on_the_way_back(fitted, trips, patterns):
    points = fitted.decode(patterns, decoder_conditions_of(trips, fitted.city, seed=0))
    assert points.counts.tolist() == [len(percent) for percent in trips["percent"]]
    assert points.percent.shape == (points.counts.sum(),)
    assert points.offset.shape == points.lonlat.shape == (points.counts.sum(), 2)
    assert (points.percent >= 0).all()
    assert (points.percent <= 1).all()
    for part in np.split(points.percent, np.cumsum(points.counts)[:-1]):
        assert (np.diff(part) >= 0).all()


def test_a_trip_has_the_same_points_alone_and_among_others(fitted, trips, patterns):
    together = fitted.decode(patterns, decoder_conditions_of(trips, fitted.city, seed=4))
    first = np.r_[0, np.cumsum(together.counts)]
    for row in (1, 11, 14):
        alone = fitted.decode(
            of_trip(patterns, row), decoder_conditions_of(trips.iloc[[row]], fitted.city, seed=4, first=row)
        )
        here = slice(first[row], first[row + 1])
        np.testing.assert_allclose(alone.percent, together.percent[here], atol=1e-6)
        np.testing.assert_allclose(alone.offset, together.offset[here], atol=1e-3)


def test_the_seed_moves_points_but_neither_the_first_nor_the_last(fitted, trips, patterns):
    first, again, other = (
        fitted.decode(patterns, decoder_conditions_of(trips, fitted.city, seed)) for seed in (1, 1, 2)
    )
    assert first.offset.tolist() == again.offset.tolist()
    assert first.percent.tolist() == again.percent.tolist()
    assert (first.offset != other.offset).all()
    ends = np.cumsum(first.counts)
    for at in (ends - first.counts, ends - 1):
        np.testing.assert_allclose(first.percent[at], other.percent[at], atol=1e-6)
    assert (first.percent != other.percent).mean() > 0.5


def test_where_steps_are_regressed_the_seed_moves_offsets_and_nothing_else(grid, trips, tiny_config):
    tokenizer = Tokenizer.new(tiny_config(increments="anchored"), grid)
    patterns = tokenizer.encode(trips)
    first, other = (tokenizer.decode(patterns, decoder_conditions_of(trips, grid, seed)) for seed in (1, 2))
    assert (first.offset != other.offset).all()
    np.testing.assert_array_equal(first.percent, other.percent)


def test_points_lie_where_their_percent_and_offset_say(fitted, trips, patterns):
    points = fitted.decode(patterns, decoder_conditions_of(trips, fitted.city, seed=0))
    line = shapely.transform(fitted.city.lines_m[trips["roads"][0]], lambda xy: xy)
    route = shapely.LineString(np.concatenate([shapely.get_coordinates(part) for part in line]))
    n = points.counts[0]
    aligned = shapely.get_coordinates(shapely.line_interpolate_point(route, points.percent[:n] * route.length))
    found = fitted.city.to_metres(points.lonlat[:n])
    np.testing.assert_allclose(found, aligned + points.offset[:n], atol=0.01)


def test_trips_take_on_new_points_as_tables_hold_them(fitted, trips, patterns):
    table = with_points(trips, fitted.decode(patterns, decoder_conditions_of(trips, fitted.city, seed=0)))
    counts = [len(percent) for percent in trips["percent"]]
    assert [len(percent) for percent in table["percent"]] == counts
    assert [len(offset) for offset in table["offset"]] == [2 * n for n in counts]
    assert shapely.get_num_coordinates(table.geometry.to_numpy()).tolist() == counts
    assert table["trip_id"].tolist() == trips["trip_id"].tolist()


def test_every_trip_has_random_numbers_of_its_own():
    keys = np.array([[7, 0], [7, 1], [8, 0]], dtype=np.uint64)
    numbers = vars(random_numbers(keys, np.array([9, 9, 9]), 16))
    longer = vars(random_numbers(keys[1:2], np.array([9]), 24))
    for name, drawn in numbers.items():
        assert len({row.tobytes() for row in drawn.numpy()}) == 3, name
        torch.testing.assert_close(longer[name][0, :16], drawn[1])
        assert (drawn[:, 9:] == 0).all()
        assert (drawn[:, :9] != 0).all()


@pytest.mark.parametrize("points", [8, 1024])
def test_any_length_from_8_to_1024_is_taken(fitted, random_trips, points):
    trips = random_trips(fitted.city, [points])
    patterns = fitted.encode(trips)
    assert fitted.decode(patterns, decoder_conditions_of(trips, fitted.city, seed=0)).counts.tolist() == [points]


@pytest.mark.parametrize("points", [7, 1025])
def test_other_lengths_are_refused_with_the_trips_name(fitted, random_trips, points):
    trips = random_trips(fitted.city, [20, points])
    with pytest.raises(InputError, match=f"trip trip-1 has {points} points; the tokenizer takes 8 to 1024"):
        fitted.encode(trips)


def test_a_loaded_tokenizer_gives_the_codes_of_the_one_that_was_saved(saved, fitted, trips, patterns, tmp_path):
    loaded = Tokenizer.load(saved, fitted.city)
    codes = loaded.encode(trips).codes
    assert (codes == patterns.codes).mean() > 0.95  # weights are kept in half precision
    loaded.save(tmp_path)
    assert Tokenizer.load(tmp_path, fitted.city).encode(trips).codes.tolist() == codes.tolist()


@pytest.mark.parametrize(
    "other",
    [
        {"increments": "free"},
        {"increments": "normalised"},
        {"increments": "anchored"},
        {"inputs": "absolute"},
        {"increments": "anchored", "offset_noise": False},
    ],
    ids=str,
)
def test_the_papers_variants_go_there_and_back_as_well(grid, trips, tiny_config, tmp_path, other):
    Tokenizer.new(tiny_config(**other), grid).save(tmp_path)
    tokenizer = Tokenizer.load(tmp_path, grid)
    points = tokenizer.decode(tokenizer.encode(trips), decoder_conditions_of(trips, grid, seed=0))
    assert np.isfinite(points.lonlat).all()


def test_nothing_in_a_tokenizers_folder_is_a_pickle(saved):
    assert sorted(path.name for path in saved.iterdir()) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_a_missing_or_damaged_file_is_a_sentence(folder, grid, name, damage):
    if damage == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes((folder / name).read_bytes()[:200])
    with pytest.raises(InputError, match=f"{folder}: the tokenizer is missing, damaged, or of another city"):
        Tokenizer.load(folder, grid)


@pytest.mark.parametrize(
    "change",
    [{"dims": [16, 16, 16, 64]}, {"codebook_sizes": [4, 6]}, {"inputs": "sideways"}, {"colour": "red"}],
    ids=str,
)
def test_a_config_that_does_not_fit_the_weights_is_a_sentence(folder, grid, change):
    facts = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(facts | change))
    with pytest.raises(InputError, match="the tokenizer is missing, damaged"):
        Tokenizer.load(folder, grid)


def test_the_tokenizer_of_another_city_is_refused(saved, triangle):
    with pytest.raises(InputError, match="knows 80 roads, the city has 3"):
        Tokenizer.load(saved, triangle)


def test_a_tokenizer_moves_to_another_city_with_its_network_and_that_citys_roads(saved, triangle):
    moved = Tokenizer.moved(saved, triangle, "drawn")
    state, old = moved.model.state_dict(), load_file(saved / "model.safetensors")
    assert state["roads.node2vec"].shape[0] == 3
    torch.testing.assert_close(state["encoder.project.weight"], old["encoder.project.weight"].float())
    regressing = Tokenizer.moved(saved, triangle, "anchored").model  # where steps are placed in another way
    torch.testing.assert_close(regressing.encoder.project.weight, old["encoder.project.weight"].float())
    assert isinstance(regressing.decoder, RegressingDecoder)
