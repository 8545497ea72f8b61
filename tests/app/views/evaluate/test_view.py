"""The page Evaluate, driven without a browser; the evaluation runs here instead of in a process of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from driving import finished, opened, query
from fake_generator import FakeGenerator

import htp_app.model
from htp.city import City
from htp.errors import InputError
from htp.evaluate import BEYOND, METRICS, Closest, Interval, Report, Validity
from htp.evaluate.calibration import Calibration, Spread
from htp.evaluate.closest import Distances
from htp.evaluate.report import Line, Size
from htp.evaluate.stops import ALL_DAY, StopFigure
from htp.evaluate.told_apart import Telling, ToldApart
from htp.trips import count_trips, read_trips, to_geojson, write_trips
from htp_app.jobs import command
from htp_app.stores import store
from htp_app.views.evaluate import comparison
from htp_app.views.evaluate.choices import EvaluationChoices
from htp_app.views.evaluate.table import WORDS, metrics_table

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

SPREAD = Spread("seconds standing", (0.4, 0.7), (0.1,) * 10, 30.0, 25.0)
VIEW = Path(htp_app.model.__file__).parent / "views" / "evaluate" / "view.py"


def report_on(sizes: dict[str, int], *, closest: bool) -> Report:
    """Return a report: divergences at half the noise floor, similarities at four times."""
    lines = [
        Line(m.name, *((0.01, 0.02) if m.low_is_good else (0.92, 0.98)), None, m.low_is_good, Interval(0.0, 1.0))
        for m in (*METRICS, *BEYOND)
    ]
    found = Distances(sizes["real"], 1.0, 2.0, 3.0, 0.0)
    return Report(
        tuple(lines[: len(METRICS)]),
        tuple(lines[len(METRICS) :]),
        {name: Size(trips, 20 * trips, 0) for name, trips in sizes.items()},
        {},
        splits=3,
        resamples=500,
        level_percent=95.0,
        seed=0,
        validity=Validity(sizes["real"], 1.0, 0.5, 1.0, None, None),
        closest=Closest(sizes["train"], 20.0, found, found) if closest else None,
        told=ToldApart(0.8, 0.75, 0.85, sizes["real"], sizes["generated"], (Telling("mean jerk", 0.7, 0.25, 0.2),)),
        stops=(StopFigure("stops a kilometre", ALL_DAY, 1.5, 1.8, 1.1, 1.3),),
        calibration=Calibration(sizes["draws"] // 9, 9, (SPREAD,)) if "draws" in sizes else None,
    )


@pytest.fixture
def ran(checkpoint, tmp_path, monkeypatch):
    """Serve the fake with a workspace; return the commands that were run, which here do nothing but count trips."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["app/main.py", "--checkpoint", str(checkpoint), "--workspace", "space"])
    commands = []

    def run(arguments, folder, progress):
        commands.append(arguments[0])
        if arguments[0] == "reconstruct":
            write_trips(read_trips(folder / "real.parquet"), folder / "ceiling.parquet")
            return ""
        assert City.load(folder / "city").name == "Grid"
        sides = [name for name in ("real", "generated", "ceiling", "train", "draws") if f"--{name}" in arguments]
        files = {name: folder / arguments[arguments.index(f"--{name}") + 1] for name in sides}
        sizes = {name: count_trips(path) for name, path in files.items()}
        progress(sizes["real"], sizes["real"] * 2)
        return report_on(sizes, closest="train" in sizes).to_json()

    monkeypatch.setattr(command, "run", run)
    return commands


def open_page(**link: str) -> AppTest:
    return finish(opened(VIEW, **link))


def finish(page: AppTest) -> AppTest:
    """Run the page until its work in the background has ended."""
    return finished(page, "evaluation-job")


def said(page: AppTest) -> str:
    kinds = (page.error, page.toast, page.caption, page.markdown, page.info, page.warning)
    return " ".join(message.value for kind in kinds for message in kind) + " ".join(
        block.proto.body for block in page.get("html")
    )


def button(page: AppTest):
    return next(one for one in page.button if one.label == "Evaluate")


def heldout(grid):
    return FakeGenerator(grid, 0.0).heldout()


def test_a_first_visit_explains_what_will_happen_and_how_baselines_are_made(ran):
    page = open_page(like="200")
    assert "press **Evaluate**" in said(page)
    assert "There are no results of Grid in docs/results yet" in said(page)
    assert any("htp experiment run" in code.value for code in page.code)
    assert query(page) == {"like": "200", "seed": "1"}
    assert not page.exception


def test_generated_trips_are_made_and_measured_once_for_everybody(ran):
    page = open_page(like="200")
    finish(button(page).click().run())
    assert "5 of 9 metrics within noise" in said(page)
    assert "200 generated trips" in said(page)
    assert query(page)["show"] == "1"
    assert ran == ["evaluate"]
    other = open_page(like="200", show="1")
    assert "5 of 9 metrics within noise" in said(other)
    assert len(ran) == 1
    assert "Number of points" in said(other)
    assert "training trips are no part of a checkpoint" in said(other)
    assert not other.exception


def test_a_link_evaluates_by_itself_with_the_tokenizers_ceiling(ran):
    page = open_page(like="200", ceiling="1", show="1")
    assert ran == ["reconstruct", "evaluate"]
    assert not page.exception


def test_several_draws_a_trip_show_whether_they_spread_as_they_should(ran):
    assert "switch on Calibration" in said(open_page(like="200", show="1"))
    page = open_page(like="200", calibration="1", show="1")
    assert "9 draws for each of 200 trips" in said(page)
    assert "<td>seconds standing</td><td>40.0%</td><td>70.0%</td><td>30.0</td><td>25.0</td>" in said(page)
    assert "<td>stops a kilometre</td><td>1.5</td><td>1.8</td><td>1.20</td><td>1.10 – 1.30</td>" in said(page)
    assert query(page)["calibration"] == "1"
    assert not page.exception


def test_training_trips_of_the_workspace_are_searched_for_copies(ran, grid, tmp_path, random_trips):
    folder = tmp_path / "space" / "trips" / "mine"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps({"city": {"name": "Grid"}, "kept": 3, "rows": 4}))
    write_trips(random_trips(grid, [20] * 5), folder / "train.parquet")
    page = open_page(like="200", train="mine", show="1")
    assert "Near copies" in said(page)
    assert "Among 5 training trips" in said(page)
    assert query(page)["train"] == "mine"


@pytest.mark.parametrize("ending", ["geojson", "csv"])
def test_uploaded_trips_are_evaluated(ran, grid, tmp_path, ending):
    trips = heldout(grid).iloc[:30]
    write_trips(trips, tmp_path / f"made.{ending}")
    page = open_page(like="200", generated="file")
    assert "Choose the file first" in said(page)
    assert button(page).disabled
    page.file_uploader[0].upload(f"made.{ending}", (tmp_path / f"made.{ending}").read_bytes()).run()
    finish(button(page).click().run())
    assert "30 generated trips" in said(page)
    assert "against 200 held-out simulated ones" in said(page)
    assert query(page)["generated"] == "file"
    assert not page.exception


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("broken.parquet", b"PAR1 no", "broken.parquet: not a readable Parquet file"),
        ("broken.geojson", b"{", "broken.geojson: is no GeoJSON FeatureCollection"),
        ("broken.csv", b"\xff\xfe\x00\x01", "broken.csv"),
        ("broken.gpx", b"<gpx", "broken.gpx"),
        ("empty.csv", b"", "empty.csv"),
    ],
)
def test_a_broken_upload_is_one_sentence_and_the_page_stays(ran, name, content, sentence):
    page = open_page(like="200", generated="file")
    page.file_uploader[0].upload(name, content).run()
    finish(button(page).click().run())
    [error] = page.error
    assert sentence in error.value
    assert "Traceback" not in error.value
    assert "/" not in error.value
    assert button(page)
    assert not page.exception
    assert not ran


def test_trips_without_roads_cannot_be_imitated(ran, grid, tmp_path):
    raw = heldout(grid).iloc[:5].drop(columns=["roads", "percent"])
    page = open_page(real="file")
    page.file_uploader[0].upload("raw.geojson", to_geojson(raw).encode()).run()
    finish(button(page).click().run())
    assert "name no roads" in page.error[0].value


def test_roads_of_another_city_are_a_sentence(ran, grid):
    trips = heldout(grid).iloc[:5]
    other = trips.assign(roads=[roads + 1000 for roads in trips["roads"]])
    page = open_page(real="file")
    page.file_uploader[0].upload("other.geojson", to_geojson(other).encode()).run()
    finish(button(page).click().run())
    assert "name roads that Grid does not have" in page.error[0].value


def test_the_sentence_of_the_command_is_shown(ran, monkeypatch):
    def refuse(*_):
        raise InputError("the real trips lie elsewhere.")

    monkeypatch.setattr(command, "run", refuse)
    page = open_page(like="200", show="1")
    assert page.error[0].value == "the real trips lie elsewhere."
    assert not page.exception


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("real", "dream", "heldout or file"),
        ("train", "../x", "a name of the workspace"),
        ("like", "7", "200, 500, 1000, 2000 or all"),
    ],
)
def test_a_broken_part_of_a_link_is_a_message(ran, name, value, sentence):
    page = open_page(**{name: value})
    assert sentence in said(page)
    assert not page.exception


def test_training_trips_that_are_gone_are_not_searched(ran):
    page = open_page(like="200", train="gone")
    assert "train" not in query(page)
    assert not page.exception


def test_choices_become_a_link_and_come_back():
    chosen = EvaluationChoices("file", "file", None, 3, ceiling=True, calibration=True, train="mine", show=True)
    assert EvaluationChoices().with_query(chosen.to_query()) == (chosen, [])
    assert EvaluationChoices().to_query() == {"like": "500", "seed": "1"}


def test_every_metric_is_explained_and_has_a_bar_of_its_colour():
    report = report_on({"real": 9, "generated": 9}, closest=False)
    assert set(WORDS) == {line.name for line in (*report.lines, *report.beyond)}
    table = metrics_table(report.lines, 95.0)
    assert table.count("<tr>") == 1 + len(METRICS)
    assert (table.count("floors noise"), table.count("floors far")) == (5, 4)
    assert "<b>0.5 ×</b> within noise" in table
    assert "Tokenizer" not in table
    line = replace(report.lines[0], ceiling=0.004)
    assert "0.0040" in metrics_table([line], 95.0)


def test_what_was_evaluated_long_ago_is_forgotten(ran, monkeypatch):
    monkeypatch.setattr(comparison, "KEPT", 1)
    for seed in ("1", "2"):
        open_page(like="200", seed=seed, show="1")
    assert len(store(comparison.DONE, htp_app.model.current())) == 1
