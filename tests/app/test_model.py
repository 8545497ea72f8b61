"""What the app is started with."""

from __future__ import annotations

import pytest

from app.model import DEFAULT_CHECKPOINT, checkpoint_of
from htp.checkpoint import Checkpoint


def test_the_checkpoint_is_named_after_the_dashes_and_has_a_default():
    assert checkpoint_of(["--checkpoint", "here"]) == "here"
    assert checkpoint_of([]) == DEFAULT_CHECKPOINT


@pytest.mark.parametrize(
    ("card", "simulated"),
    [
        ("---\nsimulated: true\n---\n# Card", True),
        ("---\nsimulated: false\n---\n# Card", False),
        ("# Card\nsimulated: true\n", False),
        ("---\nsimulated: true\n", False),
        ("", False),
    ],
)
def test_the_header_of_the_card_says_whether_trips_are_simulated(tmp_path, card, simulated):
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    assert Checkpoint(tmp_path).simulated is simulated
