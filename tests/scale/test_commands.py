"""Check what `htp … --ray` hands on, and how it refuses; the cluster is this process."""

from __future__ import annotations

import sys

import pytest

from htp.cli.main import main
from htp.trips import count_trips


@pytest.fixture
def generate(monkeypatch, capsys, in_process, request_of):
    """Return a function that runs `htp generate --ray local` and returns exit code, output and messages."""

    class Entered(in_process):
        def __init__(self, address, *, gpus):
            super().__init__()
            assert (address, gpus) == ("local", False)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr("htp.scale.Cluster", Entered)

    def run(*arguments):
        given = ["--checkpoint", request_of.checkpoint, "--ray", "local", "--device", "cpu", *arguments]
        monkeypatch.setattr(sys, "argv", ["htp", "generate", *map(str, given)])
        with pytest.raises(SystemExit) as ended:
            main()
        heard = capsys.readouterr()
        return ended.value.code or 0, heard.out, heard.err

    return run


@pytest.mark.parametrize("name", ["day", "day.parquet", "day.csv"])
def test_a_folder_of_parts_or_one_file_is_written(generate, request_of, tmp_path, name):
    code, out, _ = generate("--like", request_of.trips, "--out", tmp_path / name)
    assert (code, out) == (0, f"{tmp_path / name}: 24 generated trips\n")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    if not name.endswith(".csv"):
        assert count_trips(tmp_path / name) == 24


def test_a_folder_is_taken_up_again_and_other_settings_are_refused(generate, request_of, tmp_path):
    like = ("--like", request_of.trips, "--out", tmp_path / "day")
    assert [generate(*like)[0], generate(*like)[0]] == [0, 0]
    code, _, err = generate(*like, "--temperature", "0.5")
    assert code == 2
    assert "holds parts of another job (temperature 1.0, not 0.5); give another --out" in err
    assert generate(*like, "--temperature", "0.5", "--force")[0] == 0


@pytest.mark.parametrize(
    ("out", "sentence"),
    [("day.txt", "trips can be written as"), ("there.csv", "is there already; give --force")],
    ids=["unknown ending", "a file that is there"],
)
def test_a_file_that_cannot_be_written_is_refused(generate, request_of, tmp_path, out, sentence):
    (tmp_path / "there.csv").write_text("already")
    code, _, err = generate("--like", request_of.trips, "--out", tmp_path / out)
    assert code == 2
    assert sentence in err


def test_places_need_no_cluster(generate, tmp_path):
    code, _, err = generate("--via=-71.2,-29.9", "--via=-71.1,-29.9", "--depart", "2024-05-06 08:15", "--out", tmp_path)
    assert code == 2
    assert "--ray shares out the trips of --like TRIPS; along --via one machine is enough." in err
