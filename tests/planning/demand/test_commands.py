"""`htp demand`, with a stand-in for the generator."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from htp.cli.main import app
from htp.errors import InputError
from htp.trips import read_trips

TABLE = "origin,destination,trips\nwest,east,12\neast,west,4\n"


@pytest.fixture
def run(generator, zone_frame, tmp_path, monkeypatch):
    """Return a function that calls the command in a folder with a table, zones and broken ones."""
    monkeypatch.setattr("htp.generate.Generator.load", lambda *_: generator)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "od.csv").write_text(TABLE)
    (tmp_path / "zones.geojson").write_text(zone_frame.to_json(drop_id=True))
    (tmp_path / "there.csv").write_text("")

    def call(*arguments: str):
        usual = ["demand", "od.csv", "--checkpoint", "c", "--day", "2024-05-14", "--zones", "zones.geojson"]
        return CliRunner().invoke(app, [*usual, *arguments])

    return call


def test_a_table_becomes_the_trips_of_a_day(run, tmp_path):
    done = run("--out", "day.parquet", "--profile", ",".join(["0"] * 8 + ["1"] + ["0"] * 15))
    assert "day.parquet: 16 generated trips of 16 asked for" in done.output
    trips = read_trips(tmp_path / "day.parquet")
    assert trips["origin"].value_counts().to_dict() == {"west": 12, "east": 4}
    assert set(trips["start_time"].dt.hour) == {8}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "there.csv"], "there.csv is there already"),
        (["--out", "day.xlsx"], "trips can be written as"),
        (["--out", "day.csv", "--day", "soon"], "--day 'soon': write a date"),
        (["--out", "day.csv", "--zones", "none.geojson"], "none.geojson: cannot be read"),
        (["--out", "day.csv", "--zones", "od.csv"], "zones are read from"),
        (["--out", "day.csv", "--profile", "1,2"], "the day's profile has 2 hours"),
        (["--out", "day.csv", "--profile", "much"], "write 24 numbers"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence(run, tmp_path, arguments, said):
    done = run(*arguments)
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)
    assert not (tmp_path / "day.csv").exists()
