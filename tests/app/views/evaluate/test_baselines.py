"""The results of an experiment beside an evaluation, read from the files that `htp experiment run` writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import htp_app.model
from htp_app.views.evaluate.baselines import experiments

METRICS = ("T-Dist", "S-Dist", "Radius", "G-Den", "G-Pat", "R-Den", "R-Pat", "PR-Dist", "Length")
SIMILARITIES = {"G-Den", "G-Pat", "R-Den", "R-Pat"}


def result(label: str, value: float, city: str) -> dict:
    """Return what the file of a result holds; every metric has the same value."""
    lines = {
        name: {
            "value": value,
            "floor": 0.5,
            "ceiling": None,
            "low_is_good": name not in SIMILARITIES,
            "bootstrap": {"low": 0.0, "high": 1.0},
        }
        for name in METRICS
    }
    return {
        "version": 1,
        "key": "k",
        "method": label,
        "label": label,
        "group": "baselines",
        "place": 0,
        "seed": 0,
        "sentence": None,
        "setting": {"budget_s": 60.0, "device": "cpu"},
        "machine": "2 cores",
        "data": {"city": city, "fingerprint": "f00d", "used": {"train": 1000, "heldout": 234}, "simulated": True},
        "training": {"seconds": 61.0, "stages": []},
        "generation": {"ms_per_trip": 2.0, "processor_ms_per_trip": 1.5, "batch": 64},
        "evaluation": {"metrics": lines, "beyond": {}, "lengths": {"real": {}, "generated": {}}},
    }


@pytest.fixture
def results(checkpoint, tmp_path, monkeypatch):
    """Serve the fake in an empty folder; return a function that writes a result into docs/results/NAME."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, content: dict | str, stem: str = "one-seed0") -> None:
        path = Path("docs/results") / name / "results" / f"{stem}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))

    return write


def shown() -> tuple[str, AppTest]:
    page = AppTest.from_file(
        str(Path(htp_app.model.__file__).parent / "views" / "evaluate" / "view.py"), default_timeout=60
    ).run()
    assert not page.exception
    return " ".join(block.proto.body for block in page.get("html")), page


def test_the_baselines_of_this_city_are_a_table_with_the_best_marked(results):
    results("mine", result("TrajVAE", 0.25, "Grid"))
    results("mine", result("DiffTraj", 0.125, "Grid"), "two-seed0")
    table, page = shown()
    assert "<td>TrajVAE</td><td><u>0.25000</u></td>" in table
    assert "<td>DiffTraj</td><td><b>0.12500</b></td>" in table
    assert "<td>Noise floor</td><td>0.50000</td>" in table
    assert any("to train on 1,000 trips of Grid" in caption.value for caption in page.caption)
    assert not page.code


def test_results_of_another_city_are_not_shown(results):
    results("porto", result("TrajVAE", 0.25, "Porto"))
    table, page = shown()
    assert "TrajVAE" not in table
    assert any("There are no results of Grid" in caption.value for caption in page.caption)
    assert "htp experiment run" in page.code[0].value


def test_a_damaged_result_is_a_sentence_and_the_others_are_shown(results):
    results("bad", "{")
    results("good", result("TrajVAE", 0.25, "Grid"))
    table, page = shown()
    assert "is no whole result" in page.warning[0].value
    assert "TrajVAE" in table


def test_an_experiment_is_a_folder_or_in_one(results, tmp_path):
    assert experiments(Path("docs/results")) == []
    results("a", "{}")
    results(".", "{}")
    assert experiments(Path("docs/results")) == [Path("docs/results"), Path("docs/results/a")]
