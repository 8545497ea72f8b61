"""Check the names of files, and that a note counts only for what it was written for."""

from __future__ import annotations

from htp.experiment.layout import note_of, read_note, stem_of, write_json


def test_names_of_methods_become_names_of_files():
    assert stem_of("w/o RQ-VAE", 2) == "w-o-rq-vae-seed2"
    assert stem_of("HTP", 0) != stem_of("HTP+", 0)


def test_a_note_counts_for_its_own_key_and_where_what_it_is_about_is_there(tmp_path):
    made = tmp_path / "trips.parquet"
    assert read_note(made, "a") is None
    write_json(note_of(made), {"key": "a", "seconds": 1})
    assert note_of(made).name == "trips.json"
    assert read_note(made, "a") is None
    made.touch()
    assert read_note(made, "a") == {"key": "a", "seconds": 1}
    assert read_note(made, "b") is None
    note_of(made).write_text("{")
    assert read_note(made, "a") is None
