"""Do long work in a thread of its own, so that the page stays usable, shows progress and can stop it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class _Stopped(Exception):  # noqa: N818  not an error: somebody pressed Stop
    """Unwinds the work at its next report of progress."""


class Job(Generic[Result]):
    """Work that has started; `result` or `error` is set when it has finished, neither when it was stopped."""

    def __init__(self, work: Callable[[Callable[[int, int], None]], Result]) -> None:
        self.done, self.total = 0, 0
        self.since = time.monotonic()
        self.result: Result | None = None
        self.error: InputError | None = None
        self.crash: Exception | None = None  # what is no fault of the input; the page raises it
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the work still goes on."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Ask the work to stop at its next report of progress."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Return when the work has finished or the time is over."""
        self._thread.join(seconds)

    def _run(self, work: Callable[[Callable[[int, int], None]], Result]) -> None:
        try:
            self.result = work(self._report)
        except _Stopped:
            pass
        except InputError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001  a thread has nobody else to tell
            self.crash = error

    def _report(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self._stop.is_set():
            raise _Stopped
