"""Find the share of time that each stage of generation takes, by a clock around each."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import torch

from htp.language.kv_cache import DynamicKVCache, InPlaceKVCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from htp.generate import Generator
    from htp.trips import Conditions

STAGES = ("questions", "prefill", "token loop", "decoder", "offsets", "geometry")


def shares(generator: Generator, asked: list[Conditions]) -> dict[str, float]:
    """Return the share of the time of each stage, together 1, of a generator that has been warmed up.

    Questions: conditions to text and tokens. Prefill: the transformer over more than one token at once. Token loop: all
    else of the language model. Geometry: the rest, that is routes, points, tables and the checks of conditions.
    """
    seconds = dict.fromkeys(("questions", "prefill", "write", "decoder", "offsets"), 0.0)
    with _clocks(generator, seconds):
        started = time.perf_counter()
        generator.generate(asked)
        total = time.perf_counter() - started
    written = seconds.pop("write")
    seconds["token loop"] = written - seconds["questions"] - seconds["prefill"]
    seconds["geometry"] = total - written - seconds["decoder"] - seconds["offsets"]
    return {stage: seconds[stage] / total for stage in STAGES}


@contextmanager
def _clocks(generator: Generator, seconds: dict[str, float]) -> Iterator[None]:
    """Put clocks around the parts of a generator for a while; batches wait for each other, or clocks would overlap."""
    language, model = generator.language, generator.tokenizer.model
    parts = [(language, "ask", "questions"), (language, "generate", "write"), (model, "decode", "decoder")]
    if model.noise is not None:
        parts.append((model.noise, "draw", "offsets"))
    for kv_cache in (DynamicKVCache, InPlaceKVCache):
        parts += [(kv_cache, "share", "prefill"), (kv_cache, "read", "prefill")]
    with ExitStack() as stack:
        stack.enter_context(patch.object(generator, "workers", 1))
        for owner, name, stage in parts:
            stack.enter_context(patch.object(owner, name, _clocked(getattr(owner, name), stage, seconds)))
        yield


def _clocked(run: Callable[..., Any], stage: str, seconds: dict[str, float]) -> Callable[..., Any]:
    def clocked(*args: Any, **told: Any) -> Any:
        _wait()
        started = time.perf_counter()
        out = run(*args, **told)
        _wait()
        seconds[stage] += time.perf_counter() - started
        return out

    return clocked


def _wait() -> None:
    """Let a GPU finish what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
