"""Tell sets of numbers apart where every comparison can be made by hand."""

import numpy as np
import pytest

from htp.evaluate.privacy.chance import auc, caught, ratio_of_medians, share, told_apart


@pytest.fixture
def random():
    return np.random.default_rng(0)


def test_the_auc_counts_pairs_in_which_the_member_is_smaller_and_equal_ones_half():
    # 1 beats 2, 2 and 3; 2 beats 3 and is equal twice: (3 + 1 + 2 / 2) of 6 pairs
    assert auc(np.array([1.0, 2.0]), np.array([2.0, 3.0, 2.0])) == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    ("members", "others", "expected"),
    [([1, 2], [3, 4], 1.0), ([3, 4], [1, 2], 0.0), ([1, 2, 3], [1, 2, 3], 0.5), ([7], [7], 0.5)],
    ids=["all smaller", "all greater", "the same", "equal"],
)
def test_the_auc_is_1_for_known_trips_and_a_half_for_unknown_ones(members, others, expected):
    assert auc(np.array(members, dtype=float), np.array(others, dtype=float)) == expected


def test_equal_distributions_are_not_told_apart(random):
    found = told_apart(random.normal(size=500), random.normal(size=400), random)
    assert found.low < 0.5 < found.high
    # the standard error of an AUC of one half is sqrt((n + m + 1) / (12 n m)): 0.019
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.0194, rel=0.15)


def test_known_trips_are_told_apart_and_the_interval_says_so(random):
    found = told_apart(random.normal(size=300), random.normal(1.0, size=300), random)
    assert found.value == pytest.approx(0.76, abs=0.04)  # the normal distribution at 1 / sqrt(2)
    assert 0.65 < found.low < found.value < found.high < 0.85


def test_a_few_trips_that_are_known_for_sure_are_caught_though_the_auc_hides_them(random):
    members, others = random.normal(size=1000), random.normal(size=1000)
    members[:50] = -10.0
    assert auc(members, others) < 0.54
    found = caught(members, others, random)
    assert found.value == pytest.approx(0.05 + 0.95 * 0.01, abs=0.01)
    assert found.low > 0.04


def test_a_share_has_its_exact_interval():
    none, one, every = share(np.zeros(100, bool)), share(np.arange(100) == 3), share(np.ones(4, bool))
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 100))  # the chance of none in 100 is (1 - p)^100
    assert one.value == 0.01
    assert one.low == pytest.approx(1 - 0.975 ** (1 / 100))
    assert (every.value, every.high) == (1.0, 1.0)
    assert every.low == pytest.approx(0.025 ** (1 / 4))


def test_the_ratio_of_medians_is_one_for_equal_sets_and_its_interval_holds_it(random):
    found = ratio_of_medians(np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 9.0]), random)
    assert found.value == 2.0
    assert found.low <= 2.0 <= found.high
    assert ratio_of_medians(np.full(5, 3.0), np.full(7, 3.0), random).high == 1.0
