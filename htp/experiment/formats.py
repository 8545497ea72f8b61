"""Write a table as Markdown, LaTeX (booktabs) or CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from htp.experiment.tables import Mark

if TYPE_CHECKING:
    from htp.experiment.tables import Cell, ResultTable

MARKDOWN = {Mark.none: "{}", Mark.best: "**{}**", Mark.second: "<u>{}</u>"}
LATEX = {Mark.none: "{}", Mark.best: r"\textbf{{{}}}", Mark.second: r"\underline{{{}}}"}
IN_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "↓": r"$\downarrow$",
        "↑": r"$\uparrow$",
        "±": r"$\pm$",
        "²": r"$^2$",
        "–": "--",
    }
)


def to_markdown(table: ResultTable) -> str:
    """Return a heading, the table and its notes."""
    lines = [f"### {table.title}", "", _markdown_line(table.columns)]
    lines.append("|" + " --- |" * len(table.columns))
    lines += [_markdown_line([_marked(cell, MARKDOWN, _in_markdown(cell.text)) for cell in row]) for row in table.rows]
    return "\n".join([*lines, "", *(f"{_in_markdown(note)}  " for note in table.notes)]) + "\n"


def to_latex(table: ResultTable) -> str:
    r"""Return a `table` with its caption and notes; it needs `\usepackage{booktabs}`."""
    rows = [[_marked(cell, LATEX, cell.text.translate(IN_LATEX)) for cell in row] for row in table.rows]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{table.title.translate(IN_LATEX)}}}",
        rf"\label{{tab:{table.name}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}",
        r"\toprule",
        _latex_line([column.translate(IN_LATEX) for column in table.columns]),
        r"\midrule",
        *map(_latex_line, rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {note.translate(IN_LATEX)}" for note in table.notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def to_csv(table: ResultTable) -> str:
    """Return the cells without marks and notes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([cell.text for cell in row] for row in table.rows)
    return text.getvalue()


def _marked(cell: Cell, marks: dict[Mark, str], text: str) -> str:
    return marks[cell.mark].format(text)


def _in_markdown(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def _markdown_line(texts: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(texts) + " |"


def _latex_line(texts: list[str]) -> str:
    return " & ".join(texts) + r" \\"
