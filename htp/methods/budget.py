"""Say how long a method may train, share that among the stages of its training and keep what each came to.

With a budget in seconds a stage ends at its share of them, counted from the beginning of the whole training, so that
what comes before its first step (node2vec, describing, tokenizing) is part of it. What an earlier training did already
and this one shares is charged as if it had been done again.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from htp.config import LanguageTraining, TokenizerTraining
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import nn

ENDLESS = 100_000  # epochs, where the clock alone ends a stage
LEAST_MINUTES = 1e-3  # what is left for a stage whose time is already over: its first step

S = TypeVar("S", TokenizerTraining, LanguageTraining)


@dataclass(frozen=True)
class Budget:
    """How long to train: until the first of these limits; `batch_size` None: the configuration's."""

    seconds: float | None = None
    epochs: int | None = None
    batch_size: int | None = None

    def __post_init__(self) -> None:
        """Refuse budgets in which nothing can be learned."""
        for name in ("seconds", "epochs", "batch_size"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name} is {value}; give a budget above 0.")


class Clock:
    """The time of one training, its reports, and what its stages came to."""

    def __init__(self, budget: Budget, seed: int, report: Callable[[dict[str, Any]], None]) -> None:
        self.budget, self.seed, self.report = budget, seed, report
        self.started = self.ended = time.monotonic()  # of the training, and of the stage before
        self.done: list[dict[str, Any]] = []  # what each stage came to

    @property
    def seconds(self) -> float:
        """Seconds since the training began, what was charged included."""
        return time.monotonic() - self.started

    @property
    def spent(self) -> float:
        """Share of the budget's seconds that is over, above 1 where it was overrun; 0 where it has none."""
        return 0.0 if self.budget.seconds is None else self.seconds / self.budget.seconds

    def left_s(self, until: float = 1.0) -> float | None:
        """Return the seconds to the share `until` of the budget's, a little at least; None where it has none."""
        if self.budget.seconds is None:
            return None
        return max(until * self.budget.seconds - self.seconds, 60 * LEAST_MINUTES)

    def keep(self, stage: str, began: float, *, epochs: float, steps: int, batch_size: int) -> None:
        """Put on record what a stage that began so many seconds into the training came to, and that it is over."""
        seconds, before = self.seconds - began, began + self.started - self.ended
        facts = {"stage": stage, "epochs": epochs, "steps": steps, "seconds": round(seconds, 3)}
        facts |= {"batch_size": batch_size, "ms_per_step": round(1000 * seconds / max(steps, 1), 2)}
        self.done.append(facts | {"preparation_seconds": round(before, 3)})
        self.ended = time.monotonic()


class Stages(Clock):
    """The clock of a training whose stages are HTP's own trainers."""

    def settings(self, settings: S, until: float = 1.0) -> S:
        """Return the settings of a stage that begins now and ends at the share `until` of the budget's seconds."""
        epochs, minutes, left_s = self.budget.epochs or settings.epochs, settings.minutes, self.left_s(until)
        if left_s is not None:
            epochs, minutes = self.budget.epochs or ENDLESS, left_s / 60
        size = self.budget.batch_size or settings.batch_size
        return replace(settings, epochs=epochs, minutes=minutes, batch_size=size, seed=self.seed)

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

        began, hook = self.seconds, module.register_forward_pre_hook(count)
        try:
            yield lambda line: self.report({"stage": name} | line)
        finally:
            hook.remove()
        size = min(batch_size, trips)
        self.keep(name, began, epochs=round(steps / math.ceil(trips / size), 3), steps=steps, batch_size=size)
