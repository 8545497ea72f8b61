"""Check that results are read whole or refused with a sentence, and that those of several seeds are averaged."""

from __future__ import annotations

import json
import math

import pytest

from htp.errors import InputError
from htp.experiment.layout import Layout
from htp.experiment.results import load, over_seeds, scores_of

VALUES = [0.1, 0.2, 0.3, 0.9, 0.8, 0.7, 0.6, 0.4]


def test_methods_come_in_their_order_and_seeds_together(written, result):
    layout = written(
        result("HTP", VALUES, place=6, group="ablations"),
        result("TrajVAE", VALUES, place=1, seed=1),
        result("TrajVAE", VALUES, place=1, seed=0),
        result("TrajVAE", VALUES, place=1, seed=2, sentence="it failed."),
    )
    rows = load(layout)
    assert [row.label for row in rows] == ["TrajVAE", "HTP"]
    assert [found.seed for found in rows[0].results] == [0, 1]
    assert [found.seed for found in rows[0].failed] == [2]


def test_mean_and_deviation_are_over_the_seeds(written, result):
    first, second = (result("TrajVAE", [value, *VALUES[1:]], seed=seed) for seed, value in enumerate((0.1, 0.3)))
    rows = load(written(first, second))
    mean, deviation = (over_seeds(rows, ["T-Dist", "S-Dist"], what).loc["TrajVAE"] for what in ("mean", "std"))
    assert mean["T-Dist"] == pytest.approx(0.2)
    assert deviation["T-Dist"] == pytest.approx(math.sqrt(0.02))  # (0.1² + 0.1²) / 1
    assert deviation["S-Dist"] == 0.0


def test_a_single_seed_has_no_deviation_and_a_failed_method_no_mean(written, result):
    one, failed = result("TrajVAE", VALUES), result("Cardiff", VALUES, place=1, sentence="it failed.")
    rows = load(written(one, failed))
    assert math.isnan(over_seeds(rows, ["T-Dist"], "std").loc["TrajVAE", "T-Dist"])
    assert math.isnan(over_seeds(rows, ["T-Dist"], "mean").loc["Cardiff", "T-Dist"])


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no results; make some with `htp experiment run`"):
        load(Layout(tmp_path))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '"text"', '{"version": 1}', '{"version": 1, "sentence": null, "setting": {}}'],
    ids=["empty", "cut off", "a list", "a text", "nearly nothing", "half"],
)
def test_a_broken_file_is_named_in_a_sentence(written, result, text):
    layout = written(result("TrajVAE", VALUES))
    path = layout.result("zz-seed0")
    path.write_text(text)
    with pytest.raises(InputError, match=r"zz-seed0\.json: is no whole result; delete it and run"):
        load(layout)


def test_a_result_without_one_of_the_papers_metrics_is_not_whole(written, result):
    content = result("TrajVAE", VALUES)
    del content["evaluation"]["metrics"]["R-Pat"]
    with pytest.raises(InputError, match="is no whole result"):
        load(written(content))


def test_a_result_of_another_version_is_refused(written, result):
    with pytest.raises(InputError, match="a result of version 2, not 1"):
        load(written(result("TrajVAE", VALUES) | {"version": 2}))


@pytest.mark.parametrize(
    ("change", "name"), [({"fingerprint": "beef"}, "trips"), ({"budget_s": 61.0}, "budgets")], ids=["trips", "budgets"]
)
def test_results_that_no_table_should_mix_are_refused(written, result, change, name):
    layout = written(result("TrajVAE", VALUES), result("Cardiff", VALUES, place=1, **change))
    with pytest.raises(InputError, match=rf"0-seed0\.json and .*1-seed0\.json are of different {name}"):
        load(layout)


def test_hand_written_results_have_the_fields_that_a_run_writes(written, result):
    content = result("TrajVAE", VALUES)
    assert json.loads(json.dumps(content)) == content
    assert scores_of(load(written(content))).set_index("metric").loc["T-Dist", "high"] == 0.2
