"""Hold the result of an audit; print it as a table, write it as JSON, or as a section of a model card."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from htp.evaluate.bootstrap import LEVEL_PERCENT

if TYPE_CHECKING:
    from rich.console import RenderableType

    from htp.evaluate.privacy.chance import Estimate

VERDICTS = {True: "leaks", False: "no more than chance"}


@dataclass(frozen=True)
class AuditFigure:
    """One thing that could give training trips away."""

    name: str
    found: Estimate
    expected: Estimate  # where nothing is given away: held-out trips' own value, or what guessing gives
    unit: str  # "share", "AUC" or "times"
    says: str  # a plain sentence
    low_is_bad: bool = False

    @property
    def leaks(self) -> bool:
        """Whether more is given away than both intervals allow for by chance."""
        if self.low_is_bad:
            return self.found.high < self.expected.low
        return self.found.low > self.expected.high

    @property
    def sentence(self) -> str:
        """What the figure says, and that it is too much where it is."""
        return f"{self.says} That is more than chance explains." if self.leaks else self.says

    @property
    def written(self) -> tuple[str, str, str]:
        """What was found, its interval, and what was to be expected, as text."""
        found, low, high, expected = (
            _written(number, self.unit)
            for number in (self.found.value, self.found.low, self.found.high, self.expected.value)
        )
        return found, f"{low} to {high}", expected


@dataclass(frozen=True)
class Audit:
    """The result of an audit."""

    figures: tuple[AuditFigure, ...]
    unknown: tuple[str, ...]  # sentences: what these trips cannot tell, and which could
    trips: dict[str, int]  # train, generated, heldout
    asked: int  # at most so many training and held-out trips were drawn at random to ask the models about
    seed: int

    def __getitem__(self, name: str) -> AuditFigure:
        """Return a figure by its name."""
        return next(figure for figure in self.figures if figure.name == name)

    def to_json(self) -> str:
        """Return everything as JSON."""
        content = asdict(self)
        verdicts = {figure.name: figure.leaks for figure in self.figures}
        figures = {figure.pop("name"): figure for figure in content.pop("figures")}
        for name, figure in figures.items():
            figure["leaks"] = verdicts[name]
        return json.dumps({"figures": figures, **content}, indent=2, ensure_ascii=False) + "\n"

    def to_markdown(self) -> list[str]:
        """Return the lines of a section of a model card."""
        rows = [
            f"| {figure.name} | {' | '.join(figure.written)} | {VERDICTS[figure.leaks]} |" for figure in self.figures
        ]
        return [
            "## Does it give training trips away?",
            "",
            f"`htp audit`: {self._sizes()}",
            "",
            f"| | found | {LEVEL_PERCENT:.0f} % interval | expected | verdict |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            *[f"- {figure.sentence}" for figure in self.figures],
            *[f"- {sentence}" for sentence in self.unknown],
            "",
        ]

    def __rich__(self) -> RenderableType:
        """Return the audit as it is printed by rich."""
        table = Table("", title="Does it give training trips away?", title_justify="left")
        for column in ("found", f"{LEVEL_PERCENT:.0f} % interval", "expected", "verdict"):
            table.add_column(column, justify="right")
        for figure in self.figures:
            table.add_row(figure.name, *figure.written, VERDICTS[figure.leaks])
        sentences = [*(figure.sentence for figure in self.figures), *self.unknown, self._sizes()]
        return Group(table, Text("\n".join(sentences), style="dim"))

    def print(self, console: Console | None = None) -> None:
        """Print the audit."""
        (console or Console()).print(self)

    def _sizes(self) -> str:
        sizes = ", ".join(f"{count:,} {name}" for name, count in self.trips.items())
        return f"{sizes} trips; the models were asked about {self.asked:,} of either at most, seed {self.seed}."


def _written(number: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * number:.2f} %"
    return f"{number:.3f}" if unit == "AUC" else f"{number:.2f} times"
