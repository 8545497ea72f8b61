"""Record how the length of a trip halves three times, so that it can be restored (paper §4.1, Figure 12).

Example: 26 (even) → 13 (odd) → 7 (odd) → 4 is the record (0, 1, 1). The paper's text fixes only <t_7> = (1, 1, 1);
ours: the first halving is the most significant bit, so (0, 1, 1) is <t_3>.
"""

from __future__ import annotations

HALVINGS = 3


def pattern_count(points: int) -> int:
    """Return how many patterns a trip of `points` points has, ceil(T/8)."""
    return -(-points // 2**HALVINGS)


def length_token(points: int) -> int:
    """Return the number 0 to 7 of the length token of a trip of `points` points."""
    token = 0
    for _ in range(HALVINGS):
        token = token * 2 + points % 2
        points = (points + 1) // 2
    return token


def restore_length(patterns: int, token: int) -> int:
    """Return the number of points that `patterns` patterns with this length token stand for."""
    for halving in range(HALVINGS):
        patterns = patterns * 2 - (token >> halving & 1)
    return patterns
