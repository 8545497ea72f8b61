"""Count what becomes of every row, and measure what is kept, in figures that add up over chunks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

OFFSET_BIN_M, RATIO_BIN = 0.1, 0.005  # of the histograms from which quantiles are read
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


@dataclass
class Tally:
    """Counts of rows, trips and points; `rows` and `further` are always the sum of `dropped` and `kept`."""

    rows: int = 0  # of the sources
    further: int = 0  # trips of a row beyond its first
    dropped: Counter[str] = field(default_factory=Counter)  # reason -> rows
    left_out: Counter[str] = field(default_factory=Counter)  # reason -> points of trips that others remain of
    examples: dict[str, str] = field(default_factory=dict)  # reason -> the first value or trip that shows it
    eligible: int = 0  # drives of the right length in town, before matching
    kept: int = 0
    heldout: int = 0
    read: int = 0  # points, whatever became of them
    points: int = 0  # of kept trips
    matched_points: int = 0  # of eligible drives
    cut: int = 0  # drives of which some points lie in no stretch that was kept
    offset_bins: Counter[int] = field(default_factory=Counter)  # bin -> points
    ratio_bins: Counter[int] = field(default_factory=Counter)  # bin -> trips

    def measure(self, offset_m: NDArray[np.float64], ratio: NDArray[np.float64]) -> None:
        """Add the lengths of the offsets of all points and the length ratios of all trips."""
        self.offset_bins.update((offset_m / OFFSET_BIN_M).astype(int).tolist())
        self.ratio_bins.update((ratio / RATIO_BIN).astype(int).tolist())

    def add(self, other: Tally) -> None:
        """Add the figures of another chunk."""
        for name, value in vars(other).items():
            if isinstance(value, Counter):
                getattr(self, name).update(value)
            elif isinstance(value, dict):
                setattr(self, name, value | getattr(self, name))
            else:
                setattr(self, name, getattr(self, name) + value)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for a chunk's note on disk."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Tally:
        """Read what `to_json` wrote; JSON has turned the bins' numbers into text."""
        plain = dict(values)
        for name in ("offset_bins", "ratio_bins"):
            plain[name] = Counter({int(key): count for key, count in plain[name].items()})
        for name in ("dropped", "left_out"):
            plain[name] = Counter(plain[name])
        return cls(**plain)

    def figures(self) -> dict[str, Any]:
        """Return what the report says."""
        return {
            "rows": self.rows,
            "further_drives": self.further,
            "dropped": dict(self.dropped.most_common()),
            "left_out": dict(self.left_out.most_common()),
            "examples": dict(sorted(self.examples.items())),
            "eligible": self.eligible,
            "kept": self.kept,
            "train": self.kept - self.heldout,
            "heldout": self.heldout,
            "cut": self.cut,
            "points_read": self.read,
            "points": self.points,
            "offset_m": _quantiles(self.offset_bins, OFFSET_BIN_M),
            "matched_to_gps_length": _quantiles(self.ratio_bins, RATIO_BIN),
        }


def _quantiles(bins: Mapping[int, int], width: float) -> dict[str, float]:
    """Read quantiles from a histogram; each is the middle of the bin it falls into."""
    if not bins:
        return {}
    keys = np.array(sorted(bins))
    reached = np.cumsum([bins[key] for key in keys.tolist()])
    found = np.searchsorted(reached, np.array(QUANTILES) * reached[-1], side="left")
    return {str(q): round(float((keys[i] + 0.5) * width), 4) for q, i in zip(QUANTILES, found, strict=True)}
