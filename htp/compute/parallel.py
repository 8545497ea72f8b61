"""Do independent work side by side: in threads, each with one thread of PyTorch, or in the processes of a pool.

PyTorch leaves Python's lock while it computes. Two batches side by side use two cores better than one batch whose
every product is cut in two, and do not wait for each other where other programs take a core away.
"""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver, get_all_start_methods, get_context, parent_process
from typing import TYPE_CHECKING, TypeVar

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from multiprocessing.context import BaseContext

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_threads(work: Callable[[Given], Made], parts: Sequence[Given], workers: int) -> list[Made]:
    """Return what `work` makes of each part, in their order, `workers` at a time.

    Where one fails, those under way are finished, the others are not begun, and its error is raised.
    """
    if min(workers, len(parts)) < 2:
        return [work(part) for part in parts]
    import torch  # noqa: PLC0415  pools of processes do without

    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(min(workers, len(parts)), initializer=torch.set_num_threads, initargs=(1,))
    try:
        futures = [pool.submit(work, part) for part in parts]
        failed = [future for future in wait(futures, return_when=FIRST_EXCEPTION).done if future.exception()]
        return [future.result() for future in failed or futures]
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # those of threads that are started later: the initializer's is theirs as well


def processes(module: str) -> BaseContext:
    """Return what starts processes, where the system can forked from one that has imported `module` already.

    Such a process begins at once; one that is started from nothing imports for a second or more. The imports begin
    with this call, beside what its caller does next.
    """
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(["__main__", module])  # of the first that asks: the server lives as long as we do
    forkserver.ensure_running()
    return context


def begin_worker() -> None:
    """Leave Ctrl-C to the parent, and end with it: workers of a parent that was killed would wait for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="htp-parent", daemon=True).start()


def result_of(future: Future[Made]) -> Made:
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
