"""Say of every metric how far it is from perfect, counted in noise floors, so that all can be seen on one scale."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from htp.evaluate.report import Line

NOISE = 1.5  # ours: chance alone is above its mean half of the time, but seldom by so much
CLOSE = 3.0  # ours: up to so many noise floors a difference is small, though more than chance


class Apart(StrEnum):
    """How far generated trips are from real ones by one metric."""

    noise = "within noise"
    close = "close"
    far = "apart"


def floors_apart(line: Line) -> float | None:
    """Return how many times as far from perfect a metric is as its noise floor.

    Perfect is 0 for a divergence and 1 for a similarity. None where the noise floor itself is perfect and the metric is
    not: then no number of floors says it.
    """
    value, floor = (line.value, line.floor) if line.low_is_good else (1 - line.value, 1 - line.floor)
    if floor > 0:
        return value / floor
    return 0.0 if value <= 0 else None


def verdict(line: Line) -> Apart:
    """Return whether chance explains what a metric is away from perfect."""
    times = floors_apart(line)
    if times is None or times > CLOSE:
        return Apart.far
    return Apart.noise if times <= NOISE else Apart.close
