"""Take our way of generating back step by step, and time what is left: what each optimisation brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from htp.bench.workload import timed
from htp.language import sampling
from htp.language.kv_cache import DynamicKVCache

if TYPE_CHECKING:
    from htp.bench.workload import Timing, Workload
    from htp.generate import Generator

FIRST = "transformers.generate"
LAST = "codes by the depth network"


@dataclass(frozen=True)
class Rung:
    """A way of generating that has one optimisation more than the rung before."""

    name: str  # of what came new
    work: str
    timing: Timing
    times: float  # trips a second over those of the first rung


def ladder(generator: Generator, work: Workload, name: str, plain: Timing, ours: Timing) -> list[Rung]:
    """Return the rungs from `plain`, the answers by `transformers.generate`, to `ours`, for one kind of work."""
    asked = work.ask(name, ours.trips)

    def time(**before: Any) -> Timing:
        with patch.multiple(sampling, **before):
            return timed(lambda: generator.generate(asked), ours.trips)

    def any_reader(backbone: Any, texts: int, tokens: int) -> DynamicKVCache:  # noqa: ARG001  as `reader_of` is called
        return DynamicKVCache(backbone, texts)

    def nothing(questions: Any) -> int:  # noqa: ARG001  as `shared_tokens` is called
        return 0

    def token_writer(model: Any) -> type[sampling.Sampler]:  # noqa: ARG001  as `writer_of` is called
        return sampling.Sampler

    # the weights are those of the depth network, so only the times mean something until it is there
    by_token = {"writer_of": token_writer}
    timings = {
        FIRST: plain,
        "heads over what the grammar allows": time(reader_of=any_reader, shared_tokens=nothing, **by_token),
        "a reader that copies no keys and values": time(shared_tokens=nothing, **by_token),
        "a route's tokens read once": time(**by_token),
        LAST: ours,
    }
    return [Rung(step, name, timing, timing.times(plain)) for step, timing in timings.items()]
