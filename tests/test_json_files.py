"""Check that JSON beyond the bounds is refused in one sentence, whoever reads it."""

from __future__ import annotations

import json

import pytest

from htp.errors import InputError
from htp.json_files import MAX_BYTES, MAX_DEPTH, MAX_LETTERS, object_in, parse_object, read_object, text_in

BEYOND = {
    "deep lists": '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "deep objects": '{"a": ' * 100_000 + "1" + "}" * 100_000,
    "deeper than what HTP writes": json.dumps({"a": json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)}),
    "a name of 5,000 letters": json.dumps({"n" * 5_000: 1}),
    "a text of 5,000 letters": json.dumps({"a": [{"b": "n" * 5_000}]}),
    "a list": "[]",
    "a number": "7",
    "nothing": "",
    "no UTF-8": "\udcff",
    "a number of 5,000 digits": '{"a": ' + "9" * 5_000 + "}",
    "17 MiB": '{"a": 1' + " " * MAX_BYTES + "}",
}


@pytest.mark.parametrize("content", BEYOND.values(), ids=BEYOND.keys())
def test_what_is_beyond_the_bounds_is_one_sentence_that_names_the_file(tmp_path, content):
    path = tmp_path / "city.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(InputError) as caught:
        read_object(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_is_a_folder_is_a_sentence(tmp_path):
    for path in (tmp_path / "none", tmp_path, tmp_path / ("n" * 5_000)):
        with pytest.raises(InputError, match="cannot be read"):
            read_object(path)


def test_what_is_within_the_bounds_is_what_json_says(tmp_path):
    facts = {"a": [{"b": "n" * MAX_LETTERS}], "c": None}
    (tmp_path / "a.json").write_text(json.dumps(facts))
    assert read_object(tmp_path / "a.json") == facts
    assert parse_object('{"a": "' + "n" * 5_000 + '"}', "card", most_letters=5_000) == {"a": "n" * 5_000}


def test_what_is_wanted_in_an_object_has_its_type():
    assert text_in({"a": "b"}, "a", "x") == "b"
    assert object_in({"a": {}}, "a", "x") == {}
    for facts in ({}, {"a": []}, {"a": 1}, {"a": None}):
        with pytest.raises(InputError, match="x: a is no text"):
            text_in(facts, "a", "x")
        with pytest.raises(InputError, match="x: a is no JSON object"):
            object_in(facts, "a", "x")
    with pytest.raises(InputError, match="x: a has 5 letters; at most 4 are read"):
        text_in({"a": "12345"}, "a", "x", 4)
