"""Check divergence, cosine, F1 and bins: perfect, by hand, at their worst, and against SciPy and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cosine as scipy_cosine_distance
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import f1_score

from htp.evaluate.metrics import (
    as_printed,
    bin_edges,
    bin_numbers,
    cosine,
    jensen_shannon,
    jensen_shannon_of_rows,
    top_f1,
)

histograms = st.lists(st.integers(0, 1000), min_size=8, max_size=8).filter(any).map(lambda c: np.array(c, dtype=float))


def test_divergence_of_equal_shares_is_0_whatever_the_totals():
    assert jensen_shannon(np.array([1.0, 2, 1]), np.array([10.0, 20, 10])) == 0


def test_divergence_by_hand():
    # P = (1/2, 1/2), Q = (1, 0), M = (3/4, 1/4)
    # KL(P|M) = 1/2 log2(2/3) + 1/2 log2(2) = 0.5 - 0.5 log2(1.5) = 0.207519; KL(Q|M) = log2(4/3) = 0.415037
    assert jensen_shannon(np.array([1.0, 1]), np.array([1.0, 0])) == pytest.approx((0.207519 + 0.415037) / 2, abs=1e-6)


def test_divergence_of_histograms_with_nothing_in_common_is_1():
    assert jensen_shannon(np.array([3.0, 1, 0]), np.array([0.0, 0, 7])) == 1


def test_divergence_with_an_empty_side_is_1():
    assert jensen_shannon(np.zeros(3), np.ones(3)) == 1
    assert jensen_shannon(np.ones(3), np.zeros(3)) == 1


def test_divergence_of_rows_is_their_mean_by_what_the_real_rows_hold():
    real = np.array([[3.0, 3], [1, 1], [0, 0], [2, 0]])
    other = np.array([[8.0, 8], [5, 0], [7, 0], [0, 0]])
    # equal shares: 0; as by hand above: 0.311278; no real ones: without weight; no others: 1
    expected = (6 * 0 + 2 * 0.311278 + 2 * 1) / 10
    assert jensen_shannon_of_rows(real, other) == pytest.approx(expected, abs=1e-6)
    assert jensen_shannon_of_rows(real, real * 2) == 0


@given(histograms, histograms)
def test_divergence_agrees_with_scipy_which_returns_its_root(p, q):
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-9)
    assert jensen_shannon(p, q) == jensen_shannon(q, p)
    assert 0 <= jensen_shannon(p, q) <= 1


def test_cosine_of_equal_shares_is_1_of_nothing_in_common_0_and_between_by_hand():
    assert cosine(np.array([1.0, 2, 3]), np.array([2.0, 4, 6])) == 1
    assert cosine(np.array([1.0, 0]), np.array([0.0, 5])) == 0
    assert cosine(np.array([3.0, 4]), np.array([4.0, 3])) == pytest.approx(24 / 25)  # (12 + 12) / (5 · 5)


def test_cosine_with_an_empty_side_is_0():
    assert cosine(np.zeros(3), np.ones(3)) == 0


@given(histograms, histograms)
def test_cosine_agrees_with_scipy(p, q):
    assert cosine(p, q) == pytest.approx(1 - scipy_cosine_distance(p, q), abs=1e-9)


def test_f1_of_the_same_places_is_1_also_with_fewer_places_than_k_and_with_ties():
    counts = np.array([5.0, 0, 2, 2, 2])
    assert top_f1(counts, counts * 7, k=3) == 1
    assert top_f1(counts, counts, k=100) == 1


def test_f1_by_hand():
    # the two most frequent: {0, 1} and {1, 3}; one in common of two: precision 1/2, recall 1/2
    assert top_f1(np.array([9.0, 8, 1, 0]), np.array([0.0, 8, 1, 9]), k=2) == 0.5
    # {0, 1, 2} and {0}, the others have no count: precision 1, recall 1/3, F1 = 2 · 1/3 / (4/3)
    assert top_f1(np.array([3.0, 2, 1, 0]), np.array([3.0, 0, 0, 0]), k=3) == 0.5


@given(st.permutations(range(1, 13)), st.permutations(range(1, 13)), st.integers(1, 12))
def test_f1_agrees_with_scikit_learn_on_the_indicators_of_both_sets(real, other, k):
    truth, found = (np.array(counts) > 12 - k for counts in (real, other))  # the k greatest of 1 to 12
    assert top_f1(np.array(real, dtype=float), np.array(other, dtype=float), k) == pytest.approx(f1_score(truth, found))


def test_f1_of_different_places_is_0_and_so_it_is_without_any():
    assert top_f1(np.array([1.0, 1, 0, 0]), np.array([0.0, 0, 1, 1]), k=2) == 0
    assert top_f1(np.zeros(4), np.zeros(4), k=2) == 0


@pytest.mark.parametrize(("common", "printed"), [(89, 0.84360), (82, 0.75229), (96, 0.94118), (95, 0.92683)])
def test_f1_becomes_the_figure_that_the_papers_table_1_prints(common, printed):
    assert as_printed(common / 100) == pytest.approx(printed, abs=5e-6)


def test_bins_hold_equal_shares_and_both_ends_are_open():
    values = np.arange(1, 10_001) / 5  # 0.2, 0.4 ... 2000.0
    edges = bin_edges(values, resolution=1.0)
    counts = np.bincount(bin_numbers(values, edges), minlength=len(edges) + 1)
    assert edges[0] == 1.0
    assert len(counts) == 103  # up to the resolution, 99 percentiles, the 99.9th, the greatest, and beyond
    np.testing.assert_allclose(counts[2:100], 100, atol=1)
    assert counts[-1] == 0
    assert bin_numbers(np.array([-5.0, 1e9]), edges).tolist() == [0, len(edges)]


def test_values_of_both_signs_have_bins_on_both_sides_and_one_around_0():
    values = np.r_[-np.arange(1, 51), np.zeros(20), np.arange(1, 31)] / 10  # -5 to 3
    edges = bin_edges(values, resolution=0.5)
    above, below = edges[edges > 0], edges[edges < 0]
    assert (below[-1], above[0]) == (-0.5, 0.5)
    assert (below[0], above[-1]) == (-5.0, 3.0)
    assert np.diff(edges).min() >= 0.5
    around, low, high = bin_numbers(np.array([0.1, -5.1, 3.1]), edges)
    assert bin_numbers(np.array([-0.4, 0.0, 0.5]), edges).tolist() == [around] * 3
    assert (low, high) == (0, len(edges))


def test_without_values_there_are_the_two_bins_beside_the_resolution():
    assert bin_edges(np.zeros(0), resolution=0.5).tolist() == [0.5]


def test_what_is_larger_than_any_real_value_has_a_bin_of_its_own_even_by_less_than_the_resolution():
    edges = bin_edges(np.array([5.0, 9.8, 10.0]), resolution=1.0)
    assert bin_numbers(np.array([10.0, 10.1]), edges).tolist() == [len(edges) - 1, len(edges)]


def test_values_that_repeat_share_a_bin_with_those_up_to_the_resolution_and_no_more():
    edges = bin_edges(np.r_[np.zeros(50), np.linspace(10, 60, 50)], resolution=1.0)
    assert bin_numbers(np.array([0.0, 0.3, 1.0, 1.1]), edges).tolist() == [0, 0, 0, 1]
    assert np.diff(edges).min() >= 1.0


def test_values_that_are_all_the_same_are_told_from_larger_ones():
    edges = bin_edges(np.full(20, 7.0), resolution=1.0)
    assert edges.tolist() == [1, 7]
    assert bin_numbers(np.array([6.9, 7.0, 7.1]), edges).tolist() == [1, 1, 2]
