"""What is chosen on the page Evaluate, and its link.

An uploaded file cannot be part of a link; the link then asks for one.
"""

from __future__ import annotations

from dataclasses import dataclass

from htp_app.links import FLAG, Linked, counts, linked, one_of
from htp_app.state import LIKE, SEED
from htp_app.views.data.choices import NAME_OF_WORKSPACE

HELDOUT, NOW, FILE = "heldout", "now", "file"


@dataclass(frozen=True)
class EvaluationChoices(Linked):
    """What is compared with what."""

    real: str = linked("real", one_of(HELDOUT, FILE), HELDOUT)
    generated: str = linked("generated", one_of(NOW, FILE), NOW)
    count: int | None = linked("like", counts(*LIKE), 500, always=True)  # held-out trips; None: all
    seed: int = linked("seed", SEED, 1, always=True)
    ceiling: bool = linked("ceiling", FLAG, default=False)
    calibration: bool = linked("calibration", FLAG, default=False)
    train: str | None = linked("train", NAME_OF_WORKSPACE, None)  # prepared trips, to look for copies of them
    show: bool = linked("show", FLAG, default=False)  # whether there is a result
