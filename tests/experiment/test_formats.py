"""Check each format of a table, letter by letter."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pandas as pd
import pytest

from htp.experiment.formats import to_csv, to_latex, to_markdown
from htp.experiment.tables import BEST, SECOND, ResultTable


@pytest.fixture
def table():
    texts = pd.DataFrame([["w/o A & B", "0.1 ± 0.2", "5 %"]], columns=["Method", "T-Dist ↓", "G|Pat ↑"])
    ranks = pd.DataFrame([[float("nan"), BEST, SECOND]], columns=texts.columns)
    return ResultTable("t", "Title", texts, ("100 %, half_way.",), ranks)


def test_markdown_marks_bold_and_underlined(table):
    texts, ranks = (part.set_axis(["a", "b", "c"], axis="columns") for part in (table.texts, table.ranks))
    assert to_markdown(replace(table, texts=texts, ranks=ranks, notes=("a | b",))) == (
        "### Title\n\n| a | b | c |\n| --- | --- | --- |\n| w/o A & B | **0.1 ± 0.2** | <u>5 %</u> |\n\na \\| b  \n"
    )


def test_latex_is_a_booktabs_table_with_nothing_unescaped(table):
    text = to_latex(table)
    assert r"w/o A \& B & \textbf{0.1 $\pm$ 0.2} & \underline{5 \%} \\" in text
    assert r"Method & T-Dist $\downarrow$ & G|Pat $\uparrow$ \\" in text
    assert r"\begin{tabular}{lrr}" in text
    assert r"100 \%, half\_way." in text
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]


def test_csv_has_the_plain_cells(table):
    rows = list(csv.reader(io.StringIO(to_csv(table))))
    assert rows == [["Method", "T-Dist ↓", "G|Pat ↑"], ["w/o A & B", "0.1 ± 0.2", "5 %"]]
