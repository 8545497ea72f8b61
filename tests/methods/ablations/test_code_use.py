"""Check shares of codes in use by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from htp.methods.ablations import code_use
from htp.methods.ablations.code_use import CodeUse, watch


@pytest.fixture
def small_windows(monkeypatch):
    """Let a window be four patterns."""
    monkeypatch.setattr(code_use, "WINDOW", 4)


def codes(*rows):
    return torch.tensor(rows)


@pytest.mark.usefixtures("small_windows")
def test_a_window_counts_each_code_once_and_the_next_begins_anew():
    use = CodeUse((2, 4))
    use.add(codes([0, 1], [0, 1]))
    use.add(codes([0, 2], [1, 1]))
    use.add(codes([1, 3], [1, 3], [1, 3], [1, 3], [1, 3]))
    use.add(codes([0, 0]))
    assert use.facts() == {"window": 4, "steps": [2, 3], "shares": [[1.0, 0.5], [0.5, 0.25]]}


@pytest.mark.usefixtures("small_windows")
def test_of_a_long_training_some_windows_are_kept(monkeypatch):
    monkeypatch.setattr(code_use, "MOST", 3)
    use = CodeUse((4,))
    for step in range(7):
        use.add(codes(*[[step % 4]] * 4))
    assert use.facts()["steps"] == [1, 4, 7]


class Choosing(nn.Module):
    """Chooses code 1 of the only layer for every pattern."""

    def forward(self, h, mask):
        return h, torch.ones(*mask.shape, 1, dtype=torch.long), SimpleNamespace()


@pytest.mark.usefixtures("small_windows")
def test_real_patterns_are_watched_in_training_alone():
    module, mask = Choosing(), torch.tensor([[True, True], [True, False]])
    with watch(module, (2,)) as use:
        module(mask, mask)
        module.eval()(mask, mask)
        assert use.seen == 3
    module.train()(mask, mask)
    assert use.facts() == {"window": 4, "steps": [1], "shares": [[0.5]]}  # the only window, though it is not full
