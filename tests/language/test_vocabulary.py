"""Check the numbers and names of the new tokens (paper §4.2)."""

from __future__ import annotations

import pytest

from htp.language.vocabulary import LENGTHS, MARKS, Vocabulary

PAPER = Vocabulary((32, 64, 128, 256), 1000)


def test_there_are_as_many_tokens_as_the_paper_counts():
    assert len(PAPER) == 1000 + (32 + 64 + 128 + 256) + 8 + 4


@pytest.mark.parametrize(
    ("token", "name"),
    [
        (PAPER.mark("<|t_begin|>"), "<|t_begin|>"),
        (PAPER.mark("<|t_end|>"), "<|t_end|>"),
        (PAPER.mark("<|p_begin|>"), "<|p_begin|>"),
        (PAPER.mark("<|p_end|>"), "<|p_end|>"),
        (PAPER.length(0), "<t_0>"),
        (PAPER.length(7), "<t_7>"),
        (PAPER.first_code(0), "<a_0>"),
        (PAPER.first_code(1) - 1, "<a_31>"),
        (PAPER.first_code(1) + 17, "<b_17>"),
        (PAPER.first_code(3) + 255, "<d_255>"),
        (PAPER.first_road, "<road_0>"),
        (PAPER.first_road + 999, "<road_999>"),
    ],
    ids=str,
)
def test_tokens_are_written_as_in_the_paper(token, name):
    assert PAPER.name(token) == name


def test_every_token_has_a_name_of_its_own():
    names = [PAPER.name(token) for token in range(len(PAPER))]
    assert len(set(names)) == len(PAPER)
    assert names[: len(MARKS)] == list(MARKS)
    assert len([name for name in names if name.startswith("<t_")]) == LENGTHS
