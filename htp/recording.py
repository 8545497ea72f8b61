"""Say how the trips that a generator learned from were recorded: the seconds between points, and how many points.

Preparation brings all trips to one interval; the tokenizer and the language model of a checkpoint are trained at it and
write at it. `recording.json` in a checkpoint says so. A pattern is eight points, so it lasts eight intervals; steps
reach both models as metres in `REFERENCE_S`, which is a speed, so a network that knows one interval can go on at
another.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from htp.errors import InputError
from htp.files import replacing
from htp.json_files import read_object

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

MIN_POINTS, MAX_POINTS = 8, 1024  # of any trip: a pattern at least; ours, the paper's A.2 has 20 to 200
REFERENCE_S = 15.0  # of the paper's Porto, at which the scales of the inputs were chosen


@dataclass(frozen=True)
class Recording:
    """The sampling interval and the lengths of a data set's trips."""

    interval_s: float
    min_points: int
    max_points: int

    @classmethod
    def of(cls, trips: gpd.GeoDataFrame) -> Self:
        """Return how prepared trips, one at least and all at one interval, are recorded."""
        points = [len(percent) for percent in trips["percent"]]
        return cls(float(trips["interval"].iloc[0]), min(points), max(points))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `recording.json`; `InputError` where it is missing or damaged."""
        try:
            facts = read_object(path)
            found = cls.of_facts(facts)
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
            raise InputError(f"{path}: is missing or damaged; train the checkpoint anew.") from error
        if not found.possible:
            raise InputError(f"{path}: says nothing that trips can have; train the checkpoint anew.")
        return found

    @classmethod
    def of_facts(cls, facts: dict[str, Any]) -> Self:
        """Return what `recording.json` or a service says; `KeyError`, `TypeError`, … where it says something else."""
        return cls(float(facts["interval_s"]), int(facts["min_points"]), int(facts["max_points"]))

    @property
    def possible(self) -> bool:
        """Whether trips can be recorded so."""
        return math.isfinite(self.interval_s) and self.interval_s > 0 and 2 <= self.min_points <= self.max_points

    def save(self, path: Path) -> None:
        """Write `recording.json`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @property
    def shortest_s(self) -> float:
        """The shortest travel time that the models write."""
        return (self.min_points - 1) * self.interval_s

    @property
    def longest_s(self) -> float:
        """The longest travel time that the models write."""
        return (self.max_points - 1) * self.interval_s

    @property
    def minutes(self) -> str:
        """The travel times that the models write, in words."""
        return f"{minutes_of(self.shortest_s)} to {minutes_of(self.longest_s)} min"


def minutes_of(seconds: float) -> str:
    """Return minutes as people write them: with one decimal below ten, where that says more."""
    minutes = seconds / 60
    return f"{minutes:.1f}".removesuffix(".0") if minutes < 10 else f"{minutes:.0f}"
