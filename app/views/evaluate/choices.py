"""Hold what is chosen on the pages Evaluate and Data and models, and its link.

An uploaded file cannot be part of a link; the link then asks for one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from htp.errors import InputError
from htp.workspace import NAME
from htp_app.state import ALL, CHECKPOINT, COMPARISON_READERS, one_of, read_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HELDOUT, NOW, FILE = "heldout", "now", "file"
USED, STORED, ADD_CITY, ADD_TRIPS, TRAIN = "used", "stored", "add-city", "add-trips", "train"
PARTS = (USED, STORED, ADD_CITY, ADD_TRIPS, TRAIN)


@dataclass(frozen=True)
class EvaluationChoices:
    """What is compared with what."""

    real: str = HELDOUT
    generated: str = NOW
    count: int | None = 500  # held-out trips; None: all
    seed: int = 1
    ceiling: bool = False
    train: str | None = None  # prepared trips of the workspace, to look for copies of them
    show: bool = False  # whether there is a result

    def to_query(self) -> dict[str, str]:
        """Return the choices as the parameters of a URL."""
        query = {
            "real": "" if self.real == HELDOUT else self.real,
            "generated": "" if self.generated == NOW else self.generated,
            "like": ALL if self.count is None else str(self.count),
            "seed": str(self.seed),
            "ceiling": "1" if self.ceiling else "",
            "train": self.train or "",
            "show": "1" if self.show else "",
        }
        return {name: value for name, value in query.items() if value}

    def with_query(self, query: Mapping[str, str]) -> tuple[EvaluationChoices, list[str]]:
        """Return these choices under a URL's parameters, and a sentence on each that could not be used."""
        fields, problems = read_query(query, _EVALUATION_READERS)
        return replace(self, **fields), problems


@dataclass(frozen=True)
class DataChoices:
    """What is looked at of data and models."""

    part: str = USED
    trips: str | None = None  # prepared trips whose report is shown, or that are trained on
    city: str | None = None  # of the workspace; None: the one in use

    def to_query(self) -> dict[str, str]:
        """Return the choices as the parameters of a URL."""
        query = {"part": "" if self.part == USED else self.part, "trips": self.trips or "", "city": self.city or ""}
        return {name: value for name, value in query.items() if value}

    def with_query(self, query: Mapping[str, str]) -> tuple[DataChoices, list[str]]:
        """Return these choices under a URL's parameters, and a sentence on each that could not be used."""
        fields, problems = read_query(query, _DATA_READERS)
        return replace(self, **fields), problems


def link_to_checkpoint(name: str | None) -> str:
    """Return the link that makes a session use a checkpoint of the workspace; None: that of the start."""
    return f"?{CHECKPOINT}={name}" if name else "?"


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise InputError("it takes a name of the workspace")
    return text


_EVALUATION_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "real": ("real", one_of(HELDOUT, FILE)),
    "generated": ("generated", one_of(NOW, FILE)),
    "like": COMPARISON_READERS["like"],
    "seed": COMPARISON_READERS["seed"],
    "ceiling": ("ceiling", lambda text: text == "1"),
    "train": ("train", _name),
    "show": COMPARISON_READERS["show"],
}
_DATA_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "part": ("part", one_of(*PARTS)),
    "trips": ("trips", _name),
    "city": ("city", _name),
}
