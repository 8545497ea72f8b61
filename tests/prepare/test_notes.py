"""The note of a finished chunk comes back, and one that is damaged or hostile is a sentence."""

from __future__ import annotations

import json

import pytest

from htp.errors import InputError
from htp.prepare.pipeline import _read_note
from htp.prepare.tally import Tally


def test_a_note_comes_back(tmp_path):
    tally = Tally(rows=3, kept=2)
    tally.dropped["too_short"] += 1
    (tmp_path / "000000.json").write_text(json.dumps(tally.to_json()))
    assert _read_note(tmp_path / "000000.json") == tally


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"rows": ' * 100_000, '{"offset_bins": {"x": 1}}', "{" + " " * (17 << 20) + "}"],
    ids=["cut off", "a list", "empty", "nested without end", "no number", "17 MiB"],
)
def test_a_note_that_is_damaged_or_hostile_is_one_sentence(tmp_path, text):
    note = tmp_path / "parts-12ab" / "000000.json"
    note.parent.mkdir()
    note.write_text(text)
    with pytest.raises(InputError, match=r"000000\.json: damaged; remove .*parts-12ab and prepare the trips again\.$"):
        _read_note(note)
