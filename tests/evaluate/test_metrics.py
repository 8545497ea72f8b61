"""Check divergence, cosine, F1 and bins: perfect, by hand, at their worst, and against SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cosine as scipy_cosine_distance
from scipy.spatial.distance import jensenshannon

from htp.evaluate.metrics import as_printed, bin_edges, bin_numbers, cosine, jensen_shannon, top_f1

histograms = st.lists(st.integers(0, 1000), min_size=8, max_size=8).filter(any).map(lambda c: np.array(c, dtype=float))


def test_divergence_of_equal_shares_is_0_whatever_the_totals():
    assert jensen_shannon(np.array([1.0, 2, 1]), np.array([10.0, 20, 10])) == 0


def test_divergence_by_hand():
    # P = (1/2, 1/2), Q = (1, 0), M = (3/4, 1/4)
    # KL(P|M) = 1/2 log2(2/3) + 1/2 log2(2) = 0.5 - 0.5 log2(1.5) = 0.207519; KL(Q|M) = log2(4/3) = 0.415037
    assert jensen_shannon(np.array([1.0, 1]), np.array([1.0, 0])) == pytest.approx((0.207519 + 0.415037) / 2, abs=1e-6)


def test_divergence_of_histograms_with_nothing_in_common_is_1():
    assert jensen_shannon(np.array([3.0, 1, 0]), np.array([0.0, 0, 7])) == 1


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
