"""Say how the learning rate goes: it rises, then falls along a cosine (ours; the paper gives a single rate)."""

from __future__ import annotations

import math

WARM_UP = 0.03  # share of the training over which it rises
LEAST = 0.01  # of the highest rate, at the beginning and the end


def rate_at(progress: float) -> float:
    """Return the factor of the highest learning rate when the share `progress` of a training is done."""
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
    return max(min(progress / WARM_UP, 1.0) * cosine, LEAST)
