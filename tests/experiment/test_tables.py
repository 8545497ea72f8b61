"""Check tables against the paper's own numbers, and marks by hand."""

from __future__ import annotations

import pytest

from htp.experiment.results import METRICS, load
from htp.experiment.tables import (
    BEST,
    SECOND,
    table_1,
    table_2,
    table_3,
    table_4,
    tables,
)

PORTO = {  # the paper's Table 1
    "TrajGAN": [0.07001, 0.02796, 0.06960, 0.70959, 0.24719, 0.65745, 0.23881, 0.36468],
    "TrajVAE": [0.03884, 0.06019, 0.00327, 0.73015, 0.25564, 0.71300, 0.38095, 0.40190],
    "DiffWave": [0.00034, 0.00622, 0.00487, 0.97020, 0.62009, 0.97422, 0.77778, 0.09579],
    "DiffTraj": [0.00093, 0.00587, 0.00100, 0.96838, 0.58621, 0.97654, 0.73973, 0.13961],
    "ControlTraj": [0.00066, 0.00529, 0.00086, 0.97733, 0.62009, 0.98003, 0.83328, 0.06777],
    "Cardiff": [0.00279, 0.01365, 0.00019, 0.98196, 0.69058, 0.98641, 0.87081, 0.05993],
    "HTP": [0.00020, 0.00232, 0.00016, 0.99519, 0.83019, 0.99418, 0.92683, 0.01799],
}


@pytest.fixture
def porto(written, result):
    contents = [
        result(label, values, place=place, group="ablations" if label == "HTP" else "baselines", ceiling=0.125)
        for place, (label, values) in enumerate(PORTO.items())
    ]
    return load(written(*contents))


def line(table, first):
    texts = table.texts
    return texts[texts.iloc[:, 0] == first].iloc[0]


def names(table):
    return list(table.texts.iloc[:, 0])


def column_of(table, title, rank):
    at = next(at for at, column in enumerate(table.texts.columns) if column.startswith(title))
    return [name for name, of_it in zip(names(table), table.ranks.iloc[:, at], strict=True) if of_it == rank]


def test_table_1_marks_the_best_and_the_second_as_the_paper_does(porto):
    table = table_1(porto)
    for metric in METRICS:
        assert column_of(table, metric, BEST) == ["HTP"]
    second = {metric: column_of(table, metric, SECOND) for metric in METRICS}
    assert second["T-Dist"] == ["DiffWave"]
    assert second["S-Dist"] == ["ControlTraj"]
    assert second["R-Pat"] == second["PR-Dist"] == second["Radius"] == ["Cardiff"]


def test_table_1_has_arrows_and_references(porto):
    table = table_1(porto)
    columns = list(table.texts.columns)
    assert columns[:2] == ["Method", "T-Dist ↓"]
    assert columns[4] == "G-Den ↑"
    assert columns[-1] == "Length ↓"
    labels = names(table)
    assert labels == [*PORTO, "Noise floor", "Ceiling"]
    assert line(table, "Noise floor")["R-Pat ↑"] == "0.50000"
    assert line(table, "Ceiling")["R-Pat ↑"] == "0.12500"
    assert any("had 1m to train on 1,000 trips of Grid" in note for note in table.notes)


def test_a_method_that_took_more_than_its_budget_is_named(written, result):
    contents = [result(label, PORTO[label], place=place) for place, label in enumerate(["TrajVAE", "Cardiff"])]
    contents[1]["training"]["seconds"] = 90.0  # of 60; the other took 61
    notes = table_1(load(written(*contents))).notes
    assert [note for note in notes if "budget" in note] == [
        "Cardiff took 90 s to train with seed 0, more than its budget."
    ]


def test_equal_numbers_share_their_mark(written, result):
    contents = [
        result(label, [value, *PORTO["HTP"][1:]], place=place)
        for place, (label, value) in enumerate([("A", 0.1), ("B", 0.1000001), ("C", 0.2), ("D", 0.3)])
    ]
    table = table_1(load(written(*contents)))
    assert column_of(table, "T-Dist", BEST) == ["A", "B"]  # both print 0.10000
    assert column_of(table, "T-Dist", SECOND) == ["C"]
    assert column_of(table, "S-Dist", BEST) == ["A", "B", "C", "D"]
    assert column_of(table, "S-Dist", SECOND) == []


def test_a_failed_method_keeps_its_row_and_its_sentence(written, result):
    failed = result("Cardiff", PORTO["Cardiff"], place=1, sentence="it drew what is no number.")
    table = table_1(load(written(result("TrajVAE", PORTO["TrajVAE"]), failed)))
    assert set(line(table, "Cardiff")[1:]) == {"failed"}
    assert "Cardiff failed with seed 0: it drew what is no number." in table.notes


def test_seeds_are_shown_as_mean_and_deviation(written, result):
    runs = [result("TrajVAE", [value, *PORTO["TrajVAE"][1:]], seed=seed) for seed, value in enumerate((0.1, 0.3))]
    table = table_1(load(written(*runs)))
    assert line(table, "TrajVAE")["T-Dist ↓"] == "0.20000 ± 0.14142"
    assert "Mean ± standard deviation over seeds: TrajVAE 2." in table.notes


def test_table_2_has_the_ablations_and_htp_last(written, result):
    parts = [
        result("HTP", PORTO["HTP"], place=6, group="ablations"),
        result("w/o LLM", PORTO["Cardiff"], place=7, group="ablations"),
        result("HTP+", PORTO["Cardiff"], place=8, group="ablations"),
        result("TrajVAE", PORTO["TrajVAE"], place=1),
    ]
    rows = load(written(*parts))
    table = table_2(rows)
    assert tuple(table.texts.columns) == ("Variant", "T-Dist ↓", "G-Pat ↑", "R-Pat ↑")
    assert names(table) == ["w/o LLM", "HTP"]
    assert line(table, "w/o LLM")["G-Pat ↑"] == "0.69058"
    joint = table_3(rows)
    assert tuple(joint.texts.columns) == ("Method", "T-Dist ↓", "G-Den ↑", "R-Den ↑", "PR-Dist ↓")
    assert names(joint) == ["HTP", "HTP+"]


def test_table_3_has_the_papers_two_baselines(written, result):
    labels = ["TrajVAE", "ControlTraj", "Cardiff"]
    contents = [result(label, PORTO[label], place=place) for place, label in enumerate(labels)]
    joint = result("HTP+", PORTO["HTP"], place=9, group="ablations")
    table = table_3(load(written(*contents, joint)))
    assert names(table) == ["ControlTraj", "Cardiff", "HTP+"]


def test_routes_told_nothing_stand_in_table_3_alone_and_their_time_is_said_there(written, result):
    untold = result("HTP+ told nothing", PORTO["HTP"], place=9, group="ablations")
    untold["training"]["seconds"] = 67.0  # of 60
    part = result("w/o LLM", PORTO["HTP"], place=8, group="ablations")
    rows = load(written(result("HTP", PORTO["HTP"], place=7, group="ablations"), part, untold))
    assert names(table_3(rows)) == ["HTP", "HTP+ told nothing"]
    assert names(table_2(rows)) == ["w/o LLM", "HTP"]
    late = [any("took 67 s" in note for note in table.notes) for table in (table_1(rows), table_2(rows), table_3(rows))]
    assert late == [False, False, True]
    assert any("trained besides for a tenth of the budget" in note for note in table_3(rows).notes)


def test_tables_without_their_methods_are_left_out(porto, written, result):
    assert [table.name for table in tables(porto, simulated=False)] == ["table1", "table4", "speed"]
    assert table_2(porto) is None
    assert table_3(porto) is None


def test_table_4_and_the_speeds_are_as_measured(porto):
    table = table_4(porto, simulated=True)
    assert list(table.texts.iloc[0])[:4] == ["Grid", "1,234", "43.4 points", "4.83 km"]
    assert "simulated" in table.notes[0]
    assert "recorded" in table_4(porto, simulated=False).notes[0]
    speeds = tables(porto, simulated=False)[-1]
    assert list(line(speeds, "TrajVAE")) == ["TrajVAE", "2.00", "1.50", "64", "61 s"]
