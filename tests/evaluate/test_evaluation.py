"""Evaluate trips in the toy cities from tables and files to the printed report."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from htp.errors import InputError
from htp.evaluate import BEYOND, METRICS, evaluate
from htp.evaluate.bootstrap import RESAMPLES
from htp.evaluate.calibration import draw_names
from htp.evaluate.reading import read_report
from htp.trips import write_trips

SIMILARITIES = {"G-Den", "G-Pat", "R-Den", "R-Pat"}


def printed(report):
    """Return what a report prints on a wide console."""
    console = Console(width=160, file=io.StringIO())
    report.print(console)
    return console.file.getvalue()


@pytest.fixture
def eastward(trips_at):
    """Forty trips of 5 to 7 points along Calle 1 and Calle 3 of the grid, with a little noise."""
    random = np.random.default_rng(0)
    lines = []
    for i in range(40):
        points = 5 + i % 3
        x = np.cumsum(random.uniform(20, 60, points))
        y = random.normal(100 if i % 2 else 300, 3, points)
        lines.append(list(zip(x.tolist(), y.tolist(), strict=True)))
    return trips_at(*lines)


def test_real_trips_against_themselves_are_perfect(eastward, grid):
    report = evaluate(eastward, eastward, grid)
    assert [line.name for line in report.lines] == [metric.name for metric in METRICS]
    assert [line.name for line in report.beyond] == [metric.name for metric in BEYOND]
    assert report["Hour of day"].floor == report["Hour of day"].value == 0  # all begin at 08:15
    for line in (*report.lines, report["Speed"], report["Acceleration"], report["Speed by hour"]):
        assert line.value == pytest.approx(1 if line.name in SIMILARITIES else 0, abs=1e-9), line.name
        assert line.floor < 1 if line.name in SIMILARITIES else line.floor > 0, line.name
    assert report.sizes["real"] == report.sizes["generated"]
    assert report.sizes["real"].trips == 40
    assert report.sizes["real"].points == 239


def test_the_same_streets_driven_the_other_way_are_the_same_cells_and_other_roads(eastward, grid):
    report = evaluate(eastward, eastward.set_geometry(eastward.reverse()), grid)
    assert report["G-Den"].value == pytest.approx(1)
    assert report["S-Dist"].value == pytest.approx(0, abs=1e-9)
    assert report["R-Den"].value < 0.1


def test_a_city_elsewhere_is_refused_before_anything_is_compared(trips_at, grid):
    with pytest.raises(InputError, match=r"lie 7\.\d km \(median\) from the roads of Grid"):
        evaluate(trips_at([(8000, 0), (8100, 0)]), trips_at([(0, 0), (100, 0)]), grid)


def test_the_ceiling_stands_beside_each_metric_and_progress_counts_all_trips(eastward, grid, tmp_path):
    write_trips(eastward, tmp_path / "real.parquet")
    calls: list[tuple[int, int]] = []
    report = evaluate(
        tmp_path / "real.parquet",
        eastward.iloc[:20],
        grid,
        ceiling=eastward,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(40, 100), (60, 100), (100, 100)]
    assert report["T-Dist"].value > 0
    assert report["T-Dist"].ceiling == pytest.approx(0, abs=0.02)  # a file holds coordinates as they are
    assert report["R-Pat"].ceiling == 1


def test_a_generator_that_ignores_the_clock_is_found_out(trips_at, grid, monkeypatch):
    monkeypatch.setattr("htp.evaluate.evaluation.told_apart", lambda *_: None)  # takes seconds, is not looked at
    random = np.random.default_rng(0)

    def drive(hour):  # 4 m/s by day, 16 at night, more or less
        steps = random.normal(20 if 7 <= hour < 20 else 80, 2, 4)
        return [(x, 100) for x in np.r_[0, np.cumsum(steps)].tolist()]

    def table(hours):
        starts = pd.Timestamp("2024-05-06", tz="America/Santiago") + pd.to_timedelta(hours, unit="h")
        return trips_at(*map(drive, hours), start_time=starts)

    hours = np.tile(np.arange(24), 30)
    real, faithful = table(hours), table(hours)
    shuffled = faithful.assign(start_time=random.permutation(faithful["start_time"]))
    good, bad = (evaluate(real, generated, grid, workers=1) for generated in (faithful, shuffled))
    assert good["Speed by hour"].value < 1.5 * good["Speed by hour"].floor
    assert bad["Speed by hour"].value > 6 * bad["Speed by hour"].floor
    assert bad["Speed by hour"].bootstrap.low > good["Speed by hour"].bootstrap.high
    for line in (*bad.lines, bad["Speed"], bad["Acceleration"], bad["Hour of day"]):
        assert line.value == pytest.approx(good[line.name].value), line.name


def test_trips_of_two_points_are_compared_without_accelerations(trips_at, grid):
    trips = trips_at(*[[(x, 100), (x + 50, 100)] for x in range(0, 200, 20)])
    report = evaluate(trips, trips, grid)
    assert [line.name for line in report.beyond] == ["Speed", "Hour of day", "Speed by hour"]


def test_copies_of_training_trips_are_looked_for_where_these_are_given(trips_at, eastward, grid):
    train = trips_at(*[[(20.0 * x, y) for x in range(6)] for y in range(0, 400, 10)])
    report = evaluate(eastward, train.iloc[:30], grid, train=train)
    assert (report.closest.train, report.closest.heldout.trips, report.closest.generated.trips) == (40, 40, 30)
    assert report.closest.generated.near_copies == 1
    assert report.closest.heldout.near_copies <= 1 / 40
    content, text = json.loads(report.to_json())["closest"], printed(report)
    assert content["generated"] == {
        "trips": 30,
        "closest_m": 0.0,
        "percentile_1_m": 0.0,
        "median_m": 0.0,
        "near_copies": 1.0,
    }
    assert content["limit_m"] == report.closest.limit_m
    assert f"near copies (< {report.closest.limit_m:.1f} m)" in text
    assert "Distance to the closest of 40 training trips" in text
    assert "100.00 %" in text


def test_without_training_trips_copies_are_not_spoken_of(eastward, grid):
    report = evaluate(eastward, eastward, grid)
    assert report.closest is None
    assert json.loads(report.to_json())["closest"] is None
    assert "training trips" not in printed(report)


def test_several_draws_a_trip_are_asked_how_they_spread(eastward, grid):
    draws = pd.concat([eastward.iloc[:10]] * 3).sort_values("trip_id")
    draws = draws.assign(trip_id=draw_names(sorted(eastward["trip_id"][:10]), 3)).reset_index(drop=True)
    report = evaluate(eastward, eastward, grid, draws=draws)
    assert (report.calibration.trips, report.calibration.draws) == (10, 3)
    text, content = printed(report), json.loads(report.to_json())
    assert "Calibration: 3 draws for each of 10 trips" in text
    assert "seconds standing" in text
    assert read_report(report.to_json()) == report
    assert [one["quantity"] for one in content["calibration"]["spreads"]]
    assert evaluate(eastward, eastward, grid).calibration is None


def test_the_same_seed_gives_the_same_report(eastward, grid):
    first, second = (evaluate(eastward, eastward, grid, seed=3).to_json() for _ in range(2))
    assert first == second


def test_the_report_prints_every_metric_and_its_json_holds_the_same(eastward, grid):
    report = evaluate(eastward, eastward.iloc[:20], grid)
    text, content = " ".join(printed(report).split()), json.loads(report.to_json())
    assert content["metrics"].keys() == {metric.name for metric in METRICS}
    assert content["beyond"].keys() == {metric.name for metric in BEYOND}
    assert text.index("Length") < text.index("Beyond the paper") < text.index("Speed by hour")
    for line in (*report.lines, *report.beyond):
        assert f"{line.name} " in text
        assert f" {line.value:.5f} │ {line.bootstrap.low:.5f} – {line.bootstrap.high:.5f} │ {line.floor:.5f}" in text
        assert (content["metrics"] | content["beyond"])[line.name] == {
            "value": line.value,
            "floor": line.floor,
            "ceiling": None,
            "low_is_good": line.low_is_good,
            "bootstrap": {"low": line.bootstrap.low, "high": line.bootstrap.high},
        }
        assert line.bootstrap.low <= line.value <= line.bootstrap.high
    assert f"{RESAMPLES} bootstrap samples" in text
    assert (content["resamples"], content["level_percent"]) == (RESAMPLES, 95)
    assert "real: 40 trips, 239 points, 0 of them without a road" in text
    assert "number of points" in text  # the conditions of trips that pair up
    assert content["validity"]["trips"] == 20
    assert content["bins"]["S-Dist"]["count"] > 20
    assert content["sizes"]["generated"] == {"trips": 20, "points": 119, "unmatched": 0}
