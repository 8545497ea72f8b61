"""Check every command: its help, one sentence and exit code 2 for bad input, and nothing half-written."""

from __future__ import annotations

import errno
import json
import shutil
import sys

import pytest

from htp.checkpoint import Checkpoint
from htp.cli.main import main
from htp.trips import read_trips, write_trips

COMMANDS = (
    ["city"],
    ["prepare"],
    ["simulate"],
    ["train"],
    ["train", "tokenizer"],
    ["train", "language"],
    ["train", "offsets"],
    ["train", "routes"],
    ["tokenize"],
    ["reconstruct"],
    ["generate"],
    ["evaluate"],
    ["card"],
    ["audit"],
    ["bench"],
    ["load"],
    ["experiment"],
    ["experiment", "run"],
    ["experiment", "report"],
    ["app"],
)
DEPART = ["--depart", "2024-05-06 08:15"]


@pytest.fixture
def files(tiny_data, tiny_checkpoint, tmp_path):
    """Return a folder with a whole checkpoint, a damaged one, prepared and foreign trips."""
    (tmp_path / "whole").symlink_to(tiny_checkpoint)
    damaged = shutil.copytree(tiny_checkpoint, tmp_path / "damaged")
    content = bytearray((damaged / "tokenizer" / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (damaged / "tokenizer" / "model.safetensors").write_bytes(content)
    (damaged / "conditions" / "travel_time.json").unlink()
    trips = read_trips(tiny_data / "heldout.parquet").iloc[:3]
    write_trips(trips, tmp_path / "trips.parquet")
    write_trips(trips.drop(columns=["percent", "offset", "roads"]), tmp_path / "raw.parquet")
    write_trips(trips.drop(columns="interval"), tmp_path / "foreign.parquet")
    write_trips(trips.assign(roads=[roads + 1000 for roads in trips["roads"]]), tmp_path / "elsewhere.parquet")
    write_trips(trips.iloc[:0], tmp_path / "empty.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "there.parquet").write_text("already")
    (tmp_path / "data").symlink_to(tiny_data)
    return tmp_path


@pytest.fixture
def via(place):
    """Return options for a route across the grid."""
    return [part for lon, lat in (place(30, 0), place(400, 380)) for part in ("--via", f"{lon:.6f},{lat:.6f}")]


def snapshot(folder):
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(htp, files, *arguments):
    """Return the sentence that a command ends with; it must have written nothing."""
    before = snapshot(files)
    code, out, err = htp(*arguments)
    assert code == 2, err
    assert out == ""
    lines = [line for line in err.splitlines() if line.startswith("htp: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    assert snapshot(files) == before
    return lines[0].removeprefix("htp: ")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_takes(htp, command):
    code, out, _ = htp(*command, "--help")
    assert code == 0
    assert "Usage: htp " + " ".join(command) in out
    assert "--help" in out


def test_the_program_lists_its_commands(htp):
    _, out, _ = htp("--help")
    for command in COMMANDS:
        assert command[0] in out


def test_an_unknown_command_or_option_ends_with_code_2(htp):
    assert htp("fly")[0] == 2
    assert htp("generate", "--sideways")[0] == 2
    for command, missing in (("generate", "--out"), ("card", "--checkpoint")):
        code, _, err = htp(command)
        assert code == 2
        assert f"Missing option '{missing}'" in err


@pytest.mark.parametrize(
    ("command", "option"),
    [(name, "--checkpoint") for name in ("tokenize", "reconstruct", "generate", "demand", "audit", "bench")]
    + [("serve", "--checkpoint"), ("app", "--checkpoint"), ("evaluate", "--city")],
)
def test_what_is_only_read_is_the_city_that_ships_where_none_is_named(htp, monkeypatch, command, option):
    monkeypatch.setenv("COLUMNS", "200")
    _, out, _ = htp(command, "--help")
    [line] = [line for line in out.splitlines() if f" {option} " in line]
    assert "[default: (the city that ships)]" in line


def test_the_city_that_ships_is_used_and_named_where_no_checkpoint_is(htp, files, via, monkeypatch):
    monkeypatch.setattr("htp.cli.options.shipped", lambda: files / "whole")
    code, _, err = htp("generate", "--out", files / "out.csv", *via, *DEPART)
    assert code == 0, err
    assert f"the city that ships: {files / 'whole'}\n" in err
    assert (files / "out.csv").exists()
    code, _, err = htp("generate", "--checkpoint", files / "whole", "--out", files / "named.csv", *via, *DEPART)
    assert code == 0
    assert "that ships" not in err
    assert (files / "named.csv").read_bytes() == (files / "out.csv").read_bytes()


def test_ctrl_c_ends_without_a_traceback(htp, files, via, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("htp.generate_files.generate_along", stop)
    before = snapshot(files)
    code, _, err = htp("generate", "--checkpoint", files / "whole", "--out", files / "out.csv", *via, *DEPART)
    assert code == 130
    assert "Traceback" not in err
    assert snapshot(files) == before


def test_a_city_comes_from_somewhere(htp, files):
    sentence = refusal(htp, files, "city", files / "none.osm.pbf", "--out", files / "city")
    assert "none.osm.pbf" in sentence


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["prepare", "none.csv", "--city", "data/city", "--out", "out"], "none.csv"),
        (["prepare", "trips.parquet", "--city", "none", "--out", "out"], "none: city.json is missing"),
        (["prepare", "foreign.parquet", "--city", "data/city", "--out", "out"], "the column 'interval' is missing"),
        (
            ["prepare", "trips.parquet", "--city", "data/city", "--out", "out", "--column", "lon"],
            "--column 'lon': write role=name",
        ),
        (
            ["simulate", "--city", "data/city", "--trips", "9", "--out", "out.parquet", "--day", "May"],
            "--day 'May': write",
        ),
        (["simulate", "--city", "data/city", "--trips", "9", "--out", "there.parquet"], "is there already"),
        (["train", "tokenizer", "none", "--city", "data/city", "--out", "out"], "none/train.parquet: no such file"),
        (["train", "tokenizer", "data", "--city", "none", "--out", "out"], "none: city.json is missing"),
        (["train", "tokenizer", "data", "--city", "data/city", "--out", "whole"], "whole: holds a language model"),
        (["train", "language", "data", "--checkpoint", "none"], "none: holds no tokenizer"),
        (["train", "language", "none", "--checkpoint", "whole"], "none/train.parquet: no such file"),
        (["train", "language", "data", "--checkpoint", "whole", "--base", "none.gguf"], "none.gguf: no such GGUF file"),
        (["evaluate", "--real", "none.parquet", "--generated", "trips.parquet", "--city", "data/city"], "none.parquet"),
        (
            ["evaluate", "--real", "trips.parquet", "--generated", "broken.parquet", "--city", "data/city"],
            "not a readable",
        ),
        (["card", "--checkpoint", "none"], "none: no complete checkpoint"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else value,
)
def test_bad_input_is_one_sentence(htp, files, monkeypatch, arguments, sentence):
    monkeypatch.chdir(files)
    assert sentence in refusal(htp, files, *arguments)


@pytest.mark.parametrize("command", ["tokenize", "reconstruct"])
@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("none.parquet", "whole", "out.parquet"), "none.parquet: no such file"),
        (("foreign.parquet", "whole", "out.parquet"), "foreign.parquet: the column 'interval' is missing"),
        (("raw.parquet", "whole", "out.parquet"), "raw.parquet: the column 'roads' is missing; run `htp prepare`"),
        (("elsewhere.parquet", "whole", "out.parquet"), "drives roads that Grid does not have"),
        (("broken.parquet", "whole", "out.parquet"), "broken.parquet: not a readable Parquet file"),
        (("empty.parquet", "whole", "out.parquet"), "there are no trips to write"),
        (("trips.parquet", "none", "out.parquet"), "none: holds no tokenizer"),
        (("trips.parquet", "whole", "out.xlsx"), "out.xlsx: trips can be written as .parquet"),
        (("trips.parquet", "whole", "there.parquet"), "there.parquet is there already; give --force"),
    ],
    ids=str,
)
def test_stage_1_refuses_bad_input(htp, files, monkeypatch, command, names, sentence):
    monkeypatch.chdir(files)
    trips, checkpoint, out = names
    assert sentence in refusal(htp, files, command, trips, "--checkpoint", checkpoint, "--out", out)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--checkpoint", "none"], "none: no such checkpoint"),
        (["--checkpoint", "damaged"], "damaged/conditions/travel_time.json: missing"),
        (["--out", "out.xlsx"], "out.xlsx: trips can be written as"),
        (["--out", "there.parquet"], "there.parquet is there already"),
        (["--via", "here"], "--via 'here': write LON,LAT in degrees"),
        (["--via", "1,2,3"], "--via '1,2,3': write LON,LAT"),
        (["--via", "-29.9,-71.245"], "swapped"),
        (["--via", "10.0,50.0"], "10"),
        (["--like", "trips.parquet"], "give either --like TRIPS or --via"),
        (["--depart", "2024-09-08 00:30"], "does not exist in America/Santiago"),
        (["--depart", "soon"], "'soon' is no time"),
        (["-n", "0"], "no trips are asked for"),
        (["-n", "1000000000"], "1,000,000,000 trips are asked for"),
        (["--duration", "nan"], "a travel time of nan min"),
        (["--duration", "10"], "min can be generated, as long as those that were learned from"),
        (["--interval", "0"], "a sampling interval of 0 s"),
        (["--temperature", "9"], "temperature is 9.0; give 0 to 5"),
        (["--top-p", "0"], "top_p is 0.0"),
        (["--device", "abacus"], "the device 'abacus' is not there"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_generation_refuses_bad_input(htp, files, via, monkeypatch, options, sentence):
    monkeypatch.chdir(files)
    usual = {"--checkpoint": ["whole"], "--out": ["out.parquet"], "--depart": ["2024-05-06 08:15"]}
    arguments = [part for name, value in usual.items() if name not in options for part in (name, *value)]
    assert sentence in refusal(htp, files, "generate", *arguments, *via, *options)


def test_generation_along_places_wants_a_start_time(htp, files, via):
    arguments = ("generate", "--checkpoint", files / "whole", "--out", files / "out.parquet")
    assert refusal(htp, files, *arguments, *via).startswith("give --depart, the local time")


def test_generation_wants_something_to_go_by(htp, files):
    arguments = ("generate", "--checkpoint", files / "whole", "--out", files / "out.parquet")
    assert refusal(htp, files, *arguments).startswith("give either --like TRIPS or --via LON,LAT")


def test_one_place_is_no_route(htp, files, via):
    arguments = ("generate", "--checkpoint", files / "whole", "--out", files / "out.parquet", *DEPART)
    assert "needs at least 2 waypoints" in refusal(htp, files, *arguments, *via[:2])


def test_a_name_in_brackets_is_said_as_it_is(htp, files):
    sentence = refusal(
        htp, files, "tokenize", "[red]trips[/].parquet", "--checkpoint", files / "whole", "--out", "o.csv"
    )
    assert sentence.startswith("[red]trips[/].parquet: no such file")


def test_trips_are_generated_along_places_and_written_over_with_force(htp, files, via):
    out = files / "there.parquet"
    arguments = ("generate", "--checkpoint", files / "whole", "--out", out, *via, *DEPART, "-n", 3, "--seed", 4)
    code, said, _ = htp(*arguments, "--force")
    assert code == 0
    assert said == f"{out}: 3 generated trips\n"
    first = read_trips(out)
    assert first["trip_id"].tolist() == ["0-0", "0-1", "0-2"]
    htp(*arguments, "--force")
    assert [line.wkt for line in read_trips(out).geometry] == [line.wkt for line in first.geometry]


def test_points_at_another_interval_than_the_models_own_are_said(htp, files, via):
    arguments = ("generate", "--checkpoint", files / "whole", "--out", files / "read-off.csv", "--force")
    _, _, err = htp(*arguments, *via, *DEPART, "--interval", 5)
    assert "made with a point every 15 s, as the model learned; points every 5 s are read off along the route" in err
    _, _, err = htp(*arguments, *via, *DEPART, "--interval", 15)
    assert "read off" not in err
    trips = read_trips(files / "trips.parquet")
    write_trips(trips.assign(interval=20.0), files / "slow.parquet")
    code, _, err = htp(*arguments, "--like", files / "slow.parquet")
    assert code == 0, err
    assert "points every 20 s are read off" in err


@pytest.mark.parametrize("ending", ["csv", "geojson", "gpx"])
def test_trips_are_written_in_the_format_of_the_ending(htp, files, via, ending):
    out = files / f"out.{ending}"
    assert htp("generate", "--checkpoint", files / "whole", "--out", out, *via, *DEPART)[0] == 0
    assert out.stat().st_size > 500


def test_the_way_from_trips_to_patterns_and_back(htp, files, monkeypatch):
    monkeypatch.chdir(files)
    assert htp("tokenize", "trips.parquet", "--checkpoint", "whole", "--out", "tokens.parquet")[0] == 0
    assert htp("reconstruct", "trips.parquet", "--checkpoint", "whole", "--out", "back.parquet")[0] == 0
    assert htp("generate", "--like", "trips.parquet", "--checkpoint", "whole", "--out", "like.parquet")[0] == 0
    trips, tokens, back, like = (read_trips(f"{name}.parquet") for name in ("trips", "tokens", "back", "like"))
    assert [line.wkt for line in tokens.geometry] == [line.wkt for line in trips.geometry]
    assert "patterns" in tokens
    for table in (back, like):
        assert table["trip_id"].tolist() == trips["trip_id"].tolist()
        assert [len(percent) for percent in table["percent"]] == [len(percent) for percent in trips["percent"]]
        assert [line.wkt for line in table.geometry] != [line.wkt for line in trips.geometry]


def test_the_city_of_a_checkpoint_serves_to_prepare_and_evaluate_and_its_files_stay_as_they_were(
    htp, tiny_checkpoint, grid, random_trips, tmp_path
):
    trips = random_trips(grid, [24, 30, 40, 26] * 5, seed=8)
    write_trips(trips.drop(columns=["roads", "percent", "offset"]), tmp_path / "raw.parquet")
    before = snapshot(tiny_checkpoint)
    city, data = tiny_checkpoint / "city", tmp_path / "data"
    assert htp("prepare", tmp_path / "raw.parquet", "--city", city, "--out", data, "--workers", 1)[0] == 0
    both = ("--real", data / "train.parquet", "--generated", data / "train.parquet")
    assert htp("evaluate", *both, "--city", city, "--workers", 1)[0] == 0
    assert snapshot(tiny_checkpoint) == before


@pytest.mark.slow
@pytest.mark.usefixtures("hurried")
def test_from_raw_trips_to_an_evaluation(htp, grid, random_trips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    grid.save(tmp_path / "city")
    trips = random_trips(grid, [24, 30, 40, 26] * 15, seed=8)
    write_trips(trips.drop(columns=["roads", "percent", "offset"]), tmp_path / "raw.csv")
    assert htp("prepare", "raw.csv", "--city", "city", "--out", "data", "--workers", 1)[0] == 0
    report = json.loads((tmp_path / "data" / "report.json").read_text())
    assert report["rows"] == len(trips)
    assert report["kept"] + sum(report["dropped"].values()) == len(trips) + report["further_drives"]
    assert report["kept"] > 40
    assert htp("train", "tokenizer", "data", "--city", "city", "--out", "town", "--epochs", 1)[0] == 0
    assert htp("train", "language", "data", "--checkpoint", "town", "--epochs", 1, "--batch-size", 64)[0] == 0
    like = "data/heldout.parquet"
    assert htp("generate", "--like", like, "--checkpoint", "town", "--out", "made.parquet")[0] == 0
    code, out, _ = htp(
        "evaluate", "--real", like, "--generated", "made.parquet", "--city", "city", "--workers", 1, "--json"
    )
    assert code == 0
    assert json.loads(out)
    train = ("--train", "data/train.parquet")
    assert htp("card", "--checkpoint", "town", "--simulated", *train, "--workers", 1)[0] == 0
    card = (tmp_path / "town" / "README.md").read_text()
    assert "**The trips are simulated**" in card
    assert "## Does it give training trips away?" in card
    Checkpoint(tmp_path / "town").verify()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("[enforce fail] PytorchStreamWriter failed writing file data/0: file write failed"),
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
    ids=["python", "torch", "safetensors"],
)
def test_a_full_disk_is_a_sentence(htp, files, monkeypatch, error):
    def write(*_, **__):
        raise error

    monkeypatch.setattr("htp.city.sources.build_city", write)
    said = refusal(htp, files, "city", "porto.osm.pbf", "--out", files / "porto")
    assert "could not be written (" in said
    assert said.endswith("make room on the disk, then run the command again.")


def test_other_faults_are_not_taken_for_a_full_disk(htp, files, monkeypatch):
    def write(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("htp.city.sources.build_city", write)
    monkeypatch.setattr(sys, "argv", ["htp", "city", "porto.osm.pbf", "--out", str(files / "porto")])
    with pytest.raises(OSError, match="Input/output error"):
        main()
