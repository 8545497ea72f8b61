"""Begin the processes of a pool well, and say in a sentence where one was ended by the system."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import parent_process
from typing import TYPE_CHECKING, TypeVar

from htp.errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Future

Result = TypeVar("Result")


def begin_worker() -> None:
    """Leave Ctrl-C to the parent, and end with it: workers of a parent that was killed would wait for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="htp-parent", daemon=True).start()


def result_of(future: Future[Result]) -> Result:
    """Return what a worker has made; `InputError` where it was killed."""
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise InputError(
            "a worker process was ended by the system, most often for want of memory; run the command again with fewer "
            "--workers: what is finished is kept."
        ) from error


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:  # else this is no process of a pool
        parent.join()
        os._exit(1)
