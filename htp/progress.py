"""Show how far long work is, on standard error: a bar, or where that is no terminal, lines that programs read."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Callable

LINE_EVERY_S = 0.5


class Bar:
    """A context that gives a function to be called with (done, total)."""

    def __init__(self, label: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress, self.label = Progress(*columns, console=Console(stderr=True)), label

    def __enter__(self) -> Callable[[int, int], None]:
        if not self.progress.console.is_terminal:
            return _lines(self.label)
        self.progress.start()
        task = self.progress.add_task(self.label, total=None)
        return lambda done, total: self.progress.update(task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        if self.progress.live.is_started:
            self.progress.stop()


def _lines(label: str) -> Callable[[int, int], None]:
    """Return a function that writes `label done/total`, not too often."""
    last_s = -LINE_EVERY_S

    def write(done: int, total: int) -> None:
        nonlocal last_s
        if done == total or time.monotonic() - last_s >= LINE_EVERY_S:
            print(f"{label} {done}/{total}", file=sys.stderr, flush=True)  # noqa: T201  this is the command's output
            last_s = time.monotonic()

    return write
