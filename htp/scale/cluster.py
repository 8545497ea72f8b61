"""Do pieces of work on the workers of a Ray cluster: each piece once, whatever becomes of a worker.

A worker is an actor: a process that prepares itself once (loads a model, say) and then does one piece after another. A
piece whose worker died goes to another worker, and a new one is hired. Retries are ours and not Ray's, which would give
the piece back to the same actor and wait for it even where its machine is gone. Besides
`replicas.py` the one file that knows Ray.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LOCAL = "local"
TRIES = 3  # ours: workers that one piece may bring down, or that may die as they start; the next would go the same way
OBJECT_STORE_BYTES = 1 << 29  # ours, of a cluster on this machine: a piece has a few MB

State = TypeVar("State")
Task = TypeVar("Task")
Result = TypeVar("Result")


class Cluster:
    """The workers of a Ray cluster: a processor each, or a GPU each where GPUs are wanted and there are any."""

    def __init__(self, address: str, *, workers: int | None = None, gpus: bool = False) -> None:
        """`address`: `local` starts a cluster on this machine, `auto` finds the running one, HOST:PORT names one."""
        self.address, self._wanted, self._gpus = address, workers, gpus
        self._is_ours = False

    def __enter__(self) -> Self:
        """Connect, or use the cluster that this process is connected to; `InputError` where none answers."""
        try:
            import ray  # noqa: PLC0415  only where it is asked for
        except ImportError as error:
            raise InputError("--ray needs Ray, which is not installed; run pip install 'htp[scale]'.") from error
        self.ray: Any = ray
        if not self.ray.is_initialized():
            self._connect()
            self._is_ours = True
        resources = self.ray.cluster_resources()
        on_gpus = self._gpus and resources.get("GPU", 0) >= 1
        there = int(resources.get("GPU" if on_gpus else "CPU", 0))
        self.workers = min(self._wanted or there, there)
        self.needs = {"num_cpus": 1, "num_gpus": int(on_gpus)}
        if self.workers < 1:
            self.__exit__()
            raise InputError(f"--ray {self.address}: the cluster has no processor to give; add machines to it.")
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect; a cluster that was started here ends."""
        if self._is_ours:
            self.ray.shutdown()

    def _connect(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would tell its makers
        os.environ.setdefault("RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S", "60")  # 5 are too few on a busy machine
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
        if self.address == LOCAL:
            options |= {"num_cpus": self._wanted, "object_store_memory": OBJECT_STORE_BYTES}
        try:
            self.ray.init(address=self.address, include_dashboard=False, **options)
        except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
            raise InputError(
                f"--ray {self.address}: no Ray cluster answers there; start one with `ray start --head`, or give "
                "--ray local to use the processors of this machine."
            ) from error

    def each(
        self, start: Callable[[], State], work: Callable[[State, Task], Result], tasks: Iterable[Task]
    ) -> Iterator[tuple[int, Result]]:
        """Yield the number of each task, from 0, with `work(start(), task)`, as they are finished.

        `start` is called once a worker. Tasks are taken as workers come free, so that they may be read from a large
        file. What `work` raises ends it; `InputError` where one task brings down worker after worker.
        """
        crew = _Crew(self, start, work)
        try:
            yield from crew.results(_Piece(number, task) for number, task in enumerate(tasks))
        finally:
            crew.dismiss()


class _Worker:
    """What runs in a process of the cluster."""

    def start(self, start: Callable[[], object]) -> None:
        self.state = start()

    def work(self, work: Callable[[Any, Any], object], task: object) -> object:
        return work(self.state, task)


@dataclass
class _Piece:
    number: int
    task: Any
    tries: int = 0


class _Crew:
    """Workers hired for one job."""

    def __init__(self, cluster: Cluster, start: Callable[[], Any], work: Callable[[Any, Any], Any]) -> None:
        self._ray, self._size = cluster.ray, cluster.workers
        self._worker = cluster.ray.remote(_Worker).options(**cluster.needs)
        self._start, self._work = cluster.ray.put(start), cluster.ray.put(work)
        self._busy: dict[Any, tuple[Any, _Piece | None]] = {}  # promised answer -> who gave it, on which piece
        self._idle: list[Any] = []
        self._next: deque[_Piece] = deque()
        self._dead_at_start = 0

    def results(self, pieces: Iterator[_Piece]) -> Iterator[tuple[int, Any]]:
        """Yield the results as they come."""
        lost = (self._ray.exceptions.RayActorError, self._ray.exceptions.ObjectLostError)
        while self._share_out(pieces):
            [answer], _ = self._ray.wait(list(self._busy), num_returns=1)
            worker, piece = self._busy.pop(answer)
            try:
                result = self._ray.get(answer)
            except self._ray.exceptions.RayTaskError as error:
                raise (error.cause if isinstance(error.cause, InputError) else error) from None
            except lost:
                self._give_up(worker, piece)
                continue
            self._idle.append(worker)
            if piece:
                yield piece.number, result

    def dismiss(self) -> None:
        """End all workers."""
        for worker in [*self._idle, *(worker for worker, _ in self._busy.values())]:
            self._ray.kill(worker)

    def _share_out(self, pieces: Iterator[_Piece]) -> bool:
        """Give the next pieces to idle workers and hire for the rest; return whether anything is left to be done."""
        while len(self._next) < self._size and (piece := next(pieces, None)):
            self._next.append(piece)
        while self._next and self._idle:
            worker, piece = self._idle.pop(), self._next.popleft()
            self._busy[worker.work.remote(self._work, piece.task)] = worker, piece
        starting = sum(piece is None for _, piece in self._busy.values())
        for _ in range(min(len(self._next) - starting, self._size - len(self._busy))):
            worker = self._worker.remote()
            self._busy[worker.start.remote(self._start)] = worker, None
        return bool(self._next) or any(piece for _, piece in self._busy.values())

    def _give_up(self, worker: object, piece: _Piece | None) -> None:
        """Do without a worker that died, and put its piece first in line for the others."""
        self._ray.kill(worker)
        hint = "most often for want of memory: give the cluster fewer workers a machine"
        if piece is None:
            self._dead_at_start += 1
            if self._dead_at_start >= TRIES * self._size:
                raise InputError(f"the workers of the Ray cluster die as they start, {hint}.")
            return
        piece.tries += 1
        if piece.tries >= TRIES:
            raise InputError(f"{TRIES} workers died of piece {piece.number}, {hint}; a rerun goes on from here.")
        self._next.appendleft(piece)
