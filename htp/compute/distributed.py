"""Train in several processes at once, as `accelerate launch` or `torchrun` start them: a GPU each, or on processors.

Every process runs the whole program with batches of its own; gradients are averaged, so that all have the same model
after every step. The first process reports and writes; all of them read the same folders. Where there is one process
nothing here does anything.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, PartialState
from accelerate.utils import broadcast, reduce

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor, nn

Batch = TypeVar("Batch")
_ALONE = ContextVar("_ALONE", default=False)


def count() -> int:
    """Return how many processes train together."""
    return 1 if _ALONE.get() else int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def alone() -> Iterator[None]:
    """Let this process train as if there were no others: what they do as well, or what they are not needed for."""
    before = _ALONE.set(True)
    try:
        yield
    finally:
        _ALONE.reset(before)


def is_first() -> bool:
    """Whether this process is the one that reports and writes."""
    return _number() == 0


def refuse(work: str) -> None:
    """Raise `InputError` where work that one process does was started in several."""
    if count() > 1:
        raise InputError(f"{work} is done in one process; start it with `htp train`, without `accelerate launch`.")


def meet() -> None:
    """Let this process find the others, before any model is made: some parts of a model ask whether there are any."""
    if count() > 1:
        PartialState(cpu=not torch.cuda.is_available())


def together(model: nn.Module) -> nn.Module:
    """Return what calls the model so that its gradients are averaged; the model itself has moved to its device."""
    if count() == 1:
        return model
    options = DistributedDataParallelKwargs(find_unused_parameters=True)  # a part may be trained at another time
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision="no", kwargs_handlers=[options])
    wrapped: nn.Module = accelerator.prepare_model(model)
    return wrapped


def share(batches: Sequence[Batch]) -> Sequence[Batch]:
    """Return the batches of this process, as many as every other one has; `InputError` where there are too few."""
    if count() == 1:
        return batches
    each = len(batches) // count()
    if not each:
        raise InputError(
            f"{len(batches)} batches cannot be shared by {count()} processes; give a smaller --batch-size."
        )
    return batches[_number() :: count()][:each]


def agreed(value: float) -> float:
    """Return the value of the first process, so that all decide alike what hangs on their clocks."""
    return value if count() == 1 else float(broadcast(_on_device(torch.tensor(value, dtype=torch.float64))))


def mean(values: Tensor) -> Tensor:
    """Return the mean over the processes."""
    return values if count() == 1 else reduce(_on_device(values), "mean").cpu()


def part() -> None:
    """Wait for the others and let go of them; the first process goes on alone, with what one process does."""
    if count() > 1:
        PartialState().wait_for_everyone()
        PartialState().destroy_process_group()


def _number() -> int:
    return int(os.environ.get("RANK", "0"))


def _on_device(values: Tensor) -> Tensor:
    return values.to(PartialState().device)
