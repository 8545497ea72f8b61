"""Run methods on a small city from training to figures, each for a moment: nothing is learned, all has to work."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest
import shapely

from htp.experiment import speed
from htp.experiment.codebooks import codebooks
from htp.experiment.figures import FIGURES
from htp.experiment.layout import Layout
from htp.experiment.report import write_report
from htp.experiment.run import run
from htp.experiment.settings import ExperimentSettings
from htp.experiment.speed import measure_speed
from htp.methods.ablations.without_llm import MODULE, PACKAGE
from htp.methods.registry import choose
from htp.trips import read_trips

HELD_OUT = 24


TABLES = {"table1", "table3", "table4", "speed", "speed-batches"}


@pytest.fixture
def go(tiny_data, tmp_path, monkeypatch):
    """Return what runs methods, then all that follows, and returns the tally and the names of the files written."""
    monkeypatch.setattr("htp.evaluate.bootstrap.RESAMPLES", 20)  # of 500, which take a second
    monkeypatch.setattr(speed, "TURNS", 1)
    city = tiny_data / "city"

    def run_all(methods, budget_s, codebooks_budget_s):
        settings = ExperimentSettings(budget_s)
        tally = run(tiny_data, city, choose(methods), settings, tmp_path, workers=1, report=lambda _: None)
        for stem in tally.finished:
            check_result(Layout(tmp_path), stem)
        codebooks(tiny_data, city, ExperimentSettings(codebooks_budget_s), tmp_path, report=lambda _: None)
        measure_speed(tmp_path, (1,), report=lambda _: None)
        return tally, {path.name for path in write_report(tmp_path)}

    return run_all


@pytest.mark.slow
@pytest.mark.usefixtures("hurried")
def test_three_methods_are_trained_generated_from_and_drawn(go):
    tally, written = go("trajvae,HTP,HTP+", 0.1, 0.01)
    assert tally.finished == ["trajvae-seed0", "htp-seed0", "htp+-seed0"]
    assert {f"{name}.md" for name in TABLES} | {f"{figure}.svg" for figure in FIGURES} <= written


@pytest.mark.slow
@pytest.mark.thorough
def test_every_method_is_trained_generated_from_and_drawn(go):
    tally, written = go("all", 2.0, 0.5)
    missing = set() if find_spec(MODULE) else {"w-o-llm-seed0"}  # the one method that needs a package besides
    assert set(tally.failed) == missing
    assert all(PACKAGE in sentence for sentence in tally.failed.values())
    assert len(tally.finished) == len(choose("all")) - len(missing)
    assert {f"{name}.md" for name in TABLES | {"table2"}} | {f"{figure}.svg" for figure in FIGURES} <= written


def check_result(layout, stem):
    """Check that a method's trips are trips, and that its result was measured."""
    trips = read_trips(layout.trips(stem))
    assert len(trips) == HELD_OUT
    assert shapely.is_valid(trips.geometry.to_numpy()).all()
    assert (shapely.get_num_coordinates(trips.geometry.to_numpy()) >= 8).all()
    facts = json.loads(layout.result(stem).read_text(encoding="utf-8"))
    assert facts["sentence"] is None
    assert all(0.0 <= facts["evaluation"]["metrics"][name]["value"] <= 1.0 for name in ("T-Dist", "G-Den", "R-Pat"))
