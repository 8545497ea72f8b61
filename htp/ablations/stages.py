"""Share the budget of a training among its stages and keep what each came to.

With a budget in seconds a stage ends at its share of them, counted from the beginning of the whole training, so that
what comes before its first step (node2vec, describing, tokenizing) is part of it.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from htp.config import LanguageTraining, TokenizerTraining

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import nn

    from htp.baselines.train import Budget

ENDLESS = 100_000  # epochs, where the clock alone ends a stage
LEAST_MINUTES = 1e-3  # what is left for a stage whose time is already over: its first step

S = TypeVar("S", TokenizerTraining, LanguageTraining)


class Stages:
    """The clock and the reports of one training."""

    def __init__(self, budget: Budget, seed: int, report: Callable[[dict[str, Any]], None]) -> None:
        self.budget, self.seed, self._report = budget, seed, report
        self.started = self.ended = time.monotonic()  # of the training, and of the stage before
        self.done: list[dict[str, Any]] = []  # what each stage came to

    def settings(self, settings: S, until: float = 1.0) -> S:
        """Return the settings of a stage that begins now and ends at the share `until` of the budget's seconds."""
        epochs, minutes = self.budget.epochs or settings.epochs, settings.minutes
        if self.budget.seconds is not None:
            left = until * self.budget.seconds - (time.monotonic() - self.started)
            epochs, minutes = self.budget.epochs or ENDLESS, max(left / 60, LEAST_MINUTES)
        size = self.budget.batch_size or settings.batch_size
        return replace(settings, epochs=epochs, minutes=minutes, batch_size=size, seed=self.seed)

    @contextmanager
    def run(self, name: str, module: nn.Module, trips: int, batch_size: int) -> Iterator[Callable[[dict], None]]:
        """Yield what the stage reports to; count a step each time that `module` computes."""
        steps = 0

        def count(*_: object) -> None:
            nonlocal steps
            steps += 1

        began, hook = time.monotonic(), module.register_forward_pre_hook(count)
        try:
            yield lambda line: self._report({"stage": name} | line)
        finally:
            hook.remove()
        seconds, size = time.monotonic() - began, min(batch_size, trips)
        facts = {"stage": name, "epochs": round(steps / math.ceil(trips / size), 3), "steps": steps}
        facts |= {"seconds": round(seconds, 3), "batch_size": size}
        facts |= {"ms_per_step": round(1000 * seconds / max(steps, 1), 2)}
        self.done.append(facts | {"preparation_seconds": round(began - self.ended, 3)})
        self.ended = time.monotonic()
