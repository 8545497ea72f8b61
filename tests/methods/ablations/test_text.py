"""Check answers that are text: their trees, how they read, and that they come back."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from htp.conditions import prompt_conditions_of
from htp.language.batch import Answer
from htp.methods.ablations.text_model import tree_of
from htp.methods.ablations.without_rqvae import Cells, answer_of


@pytest.fixture(scope="module")
def oov(tiny):
    return tiny("w/o OOV").language


@pytest.fixture(scope="module")
def questions(oov, trips, grid):
    return oov.ask(prompt_conditions_of(trips, grid), grid)


def say(grammar, numbers):
    """Send numbers to a grammar; return its answer."""
    next(grammar)
    for number in numbers:
        try:
            grammar.send(number)
        except StopIteration as finished:
            return finished.value
    raise AssertionError("the grammar wants more")


def test_a_tree_says_what_may_come_next():
    assert tree_of([(7, [1, 2]), (8, [1, 3]), (9, [4])]) == {1: {2: 7, 3: 8}, 4: 9}


def test_a_question_is_text_alone(oov, questions, trips):
    text = oov.tokenizer.decode(questions[0].ids)
    roads = " ".join(f"{road:02d}" for road in trips["roads"].iloc[0])  # 80 roads: two digits
    assert text.startswith(f"Roads: {roads}. Main roads: ")
    assert text.endswith("20 points. Type 1.")  # 20 → 10 → 5 → 3
    assert (questions[0].ids < oov.model.text_size).all()
    assert oov.model.vocabulary.roads == 0


def test_patterns_are_written_as_text(oov, questions, trips):
    roads = trips["roads"].iloc[0]
    answer = Answer(np.array([0, 1, len(roads) - 1], np.int32), np.array([[3, 5, 7, 9], [0, 0, 0, 0], [1, 2, 3, 4]]))
    text = oov.tokenizer.decode(oov._written(questions[0], answer))
    first, second, last = roads[0], roads[1], roads[-1]
    assert text == f" r {first:02d} a 3 b 5 c 7 d 9 r {second:02d} a 0 b 0 c 0 d 0 r {last:02d} a 1 b 2 c 3 d 4"


def test_no_code_of_a_layer_begins_another(oov):
    for layer, size in enumerate(oov.model.vocabulary.codebook_sizes):
        found, trees = [], [oov.trees[layer]]
        while trees:
            for child in trees.pop().values():
                (trees if isinstance(child, dict) else found).append(child)
        assert sorted(found) == list(range(size))


def test_the_grammar_gives_back_anchors_and_codes(oov, questions):
    last = len(questions[0].roads) - 1
    answer = say(oov._grammar(questions[0]), [0, 3, 5, 7, 9, 1, 0, 0, 0, 0, last, 1, 2, 3, 4])
    assert list(answer.anchors) == [0, 1, last]
    assert answer.codes.tolist() == [[3, 5, 7, 9], [0, 0, 0, 0], [1, 2, 3, 4]]


def test_the_last_anchor_has_no_choice(oov, questions):
    grammar = oov._grammar(questions[0])
    next(grammar)
    for number in (0, 3, 5, 7, 9, 1, 0, 0, 0):
        grammar.send(number)
    tree = grammar.send(0)  # the third pattern of three
    while isinstance(tree, dict):
        assert len(tree) == 1
        tree = next(iter(tree.values()))
    assert tree == len(questions[0].roads) - 1


def test_cells_are_a_metre_wide_and_cover_the_city(grid):
    cells = Cells.of(grid)
    corners = np.array([grid.xy_m.min(axis=0), grid.xy_m.max(axis=0)])
    np.testing.assert_allclose(cells.at(corners)[0], [100, 100], atol=1)  # the margin
    xy_m = grid.xy_m + np.random.default_rng(0).uniform(-50, 50, grid.xy_m.shape)
    assert np.abs(cells.middle_m(cells.at(xy_m)) - xy_m).max() <= 0.5 + 1e-6
    assert cells.at(corners - 1e6)[0].tolist() == [0, 0]  # beyond the edge: at it


def test_points_are_written_as_pairs_of_equal_length(tiny, trips, grid):
    language = tiny("w/o RQ-VAE").language
    questions = language.ask(prompt_conditions_of(trips, grid), grid)[:1]
    asked = language.collate(questions, [answer_of(np.array([[5, 123], [6, 40]], np.int32))])
    text = language.tokenizer.decode(asked.ids[0, int(asked.answer_at[0]) :])
    width = len(str(int(language.cells.counts.max()) - 1))
    assert text == f" {5:0{width}d} {123:0{width}d} {6:0{width}d} {40:0{width}d}"


def test_every_point_lies_in_the_box_of_the_city(tiny, trips, grid):
    made = tiny("w/o RQ-VAE").generate(trips, seed=1)
    xy_m = grid.to_metres(shapely.get_coordinates(made.geometry.to_numpy()))
    low, high = grid.xy_m.min(axis=0), grid.xy_m.max(axis=0)
    assert (xy_m > low - 101).all()
    assert (xy_m < high + 101).all()
