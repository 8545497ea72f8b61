"""Share the budget of a training among its stages and keep what each came to.

With a budget in seconds a stage ends at its share of them, counted from the beginning of the whole training, so that
what comes before its first step (node2vec, describing, tokenizing) is part of it. What an earlier training did already
and this one shares is charged as if it had been done again.
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

    from htp.methods.baselines.train import Budget

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
        epochs, minutes, left_s = self.budget.epochs or settings.epochs, settings.minutes, self.left_s(until)
        if left_s is not None:
            epochs, minutes = self.budget.epochs or ENDLESS, left_s / 60
        size = self.budget.batch_size or settings.batch_size
        return replace(settings, epochs=epochs, minutes=minutes, batch_size=size, seed=self.seed)

    def left_s(self, until: float = 1.0) -> float | None:
        """Return the seconds to the share `until` of the budget's, a little at least; None where it has none."""
        if self.budget.seconds is None:
            return None
        return max(until * self.budget.seconds - (time.monotonic() - self.started), 60 * LEAST_MINUTES)

    @property
    def spent(self) -> float:
        """Share of the budget's seconds that is over, above 1 where it was overrun; 0 where it has none."""
        return 0.0 if self.budget.seconds is None else (time.monotonic() - self.started) / self.budget.seconds

    def charge(self, name: str, seconds: float, *, shared: bool) -> None:
        """Put on record what took `seconds`; where it is shared, they have to be counted as spent."""
        if shared:
            self.started -= seconds
        self.done.append({"stage": name, "seconds": round(seconds, 3), "shared": shared})
        self.ended = time.monotonic()

    @contextmanager
    def run(self, name: str, module: nn.Module, trips: int, batch_size: int) -> Iterator[Callable[[dict], None]]:
        """Yield what the stage reports to; count a step each time that `module` computes in training."""
        steps = 0

        def count(computing: nn.Module, *_: object) -> None:
            nonlocal steps
            steps += computing.training

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
