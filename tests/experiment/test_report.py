"""Check the files of a report, and that every figure says what it has to say."""

from __future__ import annotations

import csv

import pytest
from PIL import Image

from htp.errors import InputError
from htp.experiment.report import write_report
from htp.trips import write_trips

VALUES = [0.1, 0.2, 0.3, 0.9, 0.8, 0.7, 0.6, 0.4]
FIGURES = ("figure5-maps", "figure7-lengths", "figure8-speed")


@pytest.fixture
def results(written, result, grid, random_trips):
    """Return the folder of two methods' results, with their trips and the city."""
    baseline = result("TrajVAE", VALUES)
    ours = result("HTP", [value / 2 for value in VALUES], place=6, group="ablations")
    layout = written(baseline, ours, result("Cardiff", VALUES, place=1, sentence="it failed."))
    grid.save(layout.city)
    write_trips(random_trips(grid, [20, 30, 40]), layout.real)
    write_trips(random_trips(grid, [20, 30, 40], seed=1), layout.trips("trajvae-seed0"))
    write_trips(random_trips(grid, [20, 30, 40], seed=2), layout.trips("htp-seed0"))
    return layout.folder


def test_tables_come_in_three_formats_and_figures_in_two(results):
    written = {path.name for path in write_report(results)}
    for table in ("table1", "table4", "speed"):
        assert {f"{table}.md", f"{table}.tex", f"{table}.csv"} <= written
    for figure in FIGURES:
        assert {f"{figure}.png", f"{figure}.svg"} <= written
    assert "table3.md" not in written
    assert all(path.exists() for path in (results / "report" / name for name in written))
    report = (results / "report" / "report.md").read_text(encoding="utf-8")
    assert "### HTP and the baselines" in report
    assert all(f"({figure}.png)" in report for figure in FIGURES)


@pytest.mark.parametrize("simulated", [True, False])
def test_every_figure_names_openstreetmap_and_says_whether_trips_are_simulated(results, simulated):
    write_report(results, simulated=simulated)
    for figure in FIGURES:
        picture = (results / "report" / f"{figure}.svg").read_text(encoding="utf-8")
        assert "© OpenStreetMap contributors" in picture  # matplotlib writes texts beside their outlines
        assert ("simulated trips" in picture) == simulated


def test_data_that_is_simulated_says_so_without_being_told(results, written, result):
    for path in (results / "results").glob("*.json"):
        path.write_text(path.read_text().replace('"simulated": false', '"simulated": true'))
    write_report(results)
    assert "The trips are simulated." in (results / "report" / "report.md").read_text(encoding="utf-8")


def test_pictures_are_small_and_the_same_again(results):
    write_report(results)
    before = {path.name: path.read_bytes() for path in (results / "report").glob("*.svg")}
    for figure in FIGURES:
        path = results / "report" / f"{figure}.png"
        assert path.stat().st_size < 200_000
        assert Image.open(path).size[0] > 400
    write_report(results)
    assert {path.name: path.read_bytes() for path in (results / "report").glob("*.svg")} == before


def test_every_score_is_listed_with_its_interval(results):
    write_report(results)
    with (results / "report" / "scores.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2 * 9
    first = next(line for line in lines if (line["method"], line["metric"]) == ("TrajVAE", "S-Dist"))
    assert [first[name] for name in ("value", "interval_low", "interval_high", "floor")] == ["0.2", "0.1", "0.4", "0.5"]
    assert first["ceiling"] == ""


def test_trips_that_are_missing_are_named(results):
    (results / "trips" / "htp-seed0.parquet").unlink()
    with pytest.raises(InputError, match=r"htp-seed0\.parquet: no such file"):
        write_report(results)


def test_where_all_methods_failed_there_are_tables_of_their_sentences_and_no_figures(written, result):
    layout = written(result("Cardiff", VALUES, sentence="it failed."))
    names = {path.name for path in write_report(layout.folder)}
    assert "table1.md" in names
    assert "speed.md" not in names
    assert not any(name.endswith(".png") for name in names)
    assert "Cardiff failed with seed 0: it failed." in (layout.report / "table1.md").read_text(encoding="utf-8")
