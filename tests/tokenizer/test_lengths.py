"""Check the odd-even record of the three halvings (paper §4.1 and Figure 12)."""

from __future__ import annotations

import pytest

from htp.tokenizer.lengths import length_token, pattern_count, restore_length


def test_26_points_become_4_patterns_with_the_record_0_1_1_and_come_back():
    assert pattern_count(26) == 4
    assert length_token(26) == 0b011
    assert restore_length(4, 0b011) == 26


@pytest.mark.parametrize(
    ("points", "record"),
    [(32, "000"), (28, "001"), (30, "010"), (26, "011"), (31, "100"), (27, "101"), (29, "110"), (25, "111")],
)
def test_each_of_the_eight_length_tokens_is_its_record_read_as_a_binary_number(points, record):
    assert length_token(points) == int(record, 2)
    assert pattern_count(points) == 4


def test_t_7_is_the_record_1_1_1_of_the_paper():
    assert length_token(25) == 7


@pytest.mark.parametrize("token", range(8))
def test_every_length_token_occurs_and_restores_its_length(token):
    lengths = [points for points in range(8, 1025) if length_token(points) == token]
    assert len(lengths) >= 127  # 1,017 lengths shared among eight
    assert all(restore_length(pattern_count(points), token) == points for points in lengths)
