"""Evaluate trips in the toy cities from tables and files to the printed report."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from htp.errors import InputError
from htp.evaluate import METRICS, evaluate
from htp.trips import write_trips

SIMILARITIES = {"G-Den", "G-Pat", "R-Den", "R-Pat"}


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
    for line in report.lines:
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


def test_the_same_seed_gives_the_same_report(eastward, grid):
    first, second = (evaluate(eastward, eastward, grid, seed=3).to_json() for _ in range(2))
    assert first == second


def test_the_report_prints_every_metric_and_its_json_holds_the_same(eastward, grid):
    report = evaluate(eastward, eastward.iloc[:20], grid)
    console = Console(width=160, file=io.StringIO())
    report.print(console)
    text = console.file.getvalue()
    content = json.loads(report.to_json())
    for line in report.lines:
        assert f"{line.name} " in text
        assert content["metrics"][line.name]["value"] == line.value
    assert "real: 40 trips, 239 points, 0 of them without a road" in text
    assert "number of points" in text  # the conditions of trips that pair up
    assert content["validity"]["trips"] == 20
    assert content["bins"]["S-Dist"]["count"] > 20
    assert content["sizes"]["generated"] == {"trips": 20, "points": 119, "unmatched": 0}
