"""Write a table as Markdown, LaTeX (booktabs) or CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htp.experiment.tables import BEST, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from htp.experiment.tables import ResultTable

MARKDOWN = {BEST: "**{}**", SECOND: "<u>{}</u>"}
LATEX = {BEST: r"\textbf{{{}}}", SECOND: r"\underline{{{}}}"}
IN_LATEX = str.maketrans(
    {letter: f"\\{letter}" for letter in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"↓": r"$\downarrow$", "↑": r"$\uparrow$", "±": r"$\pm$", "²": r"$^2$", "–": "--"}
)


def to_markdown(table: ResultTable) -> str:
    """Return a heading, the table and its notes."""
    rows = table.marked(MARKDOWN, _in_markdown).itertuples(index=False)
    columns = list(table.texts.columns)
    lines = [f"### {table.title}", "", _line(columns), "|" + " --- |" * len(columns), *map(_line, rows)]
    return "\n".join([*lines, "", *(f"{_in_markdown(note)}  " for note in table.notes)]) + "\n"


def to_latex(table: ResultTable) -> str:
    r"""Return a `table` with its caption and notes; it needs `\usepackage{booktabs}`."""
    written = table.marked(LATEX, _in_latex).rename(columns=_in_latex)
    text = written.to_latex(
        index=False,
        caption=_in_latex(table.title),
        label=f"tab:{table.name}",
        column_format="l" + "r" * (len(written.columns) - 1),
    )
    notes = "".join(f"\\par\\footnotesize {_in_latex(note)}\n" for note in table.notes)
    return text.replace("\\begin{table}\n", "\\begin{table}\n\\centering\n").replace(
        "\\end{table}", f"{notes}\\end{{table}}"
    )


def to_csv(table: ResultTable) -> str:
    """Return the cells without marks and notes."""
    return table.texts.to_csv(index=False)


def _in_latex(text: str) -> str:
    return text.translate(IN_LATEX)


def _in_markdown(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def _line(texts: Iterable[str]) -> str:
    return "| " + " | ".join(texts) + " |"
