"""A line of words, letter for letter."""

from __future__ import annotations

import re

from htp.words.line import GONE, Wording, folded


def test_folding_keeps_the_number_of_letters():
    for text in ("Peñuelas", "İstanbul", "ß", "Às 17h30", "a\u0301b"):
        assert len(folded(text)) == len(text)
    assert folded("São João Ñuñoa") == "sao joao nunoa"


def test_what_was_taken_parts_the_rest():
    line = Wording("from A 17:30 to B, C")
    found = line.take(re.compile(r"\d+:\d+"))
    assert found[0] == "17:30"
    assert line.folded == f"from a {GONE * 5} to b, c"
    assert [line.text[a:b].strip() for a, b in line.fragments()] == ["from A", "to B", "C"]
