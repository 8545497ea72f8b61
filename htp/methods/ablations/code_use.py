"""Watch how many codes of each layer a tokenizer uses while it is trained (Figure 9)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from htp.tokenizer.quantizer import Quantizer

WINDOW = 4096  # patterns that a share is counted over, sixteen for each code of the largest book; ours
MOST = 200  # windows that are kept of a long training


class CodeUse:
    """The share of each codebook that is in use, window after window."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.steps: list[int] = []  # of the training, at the end of each window
        self.shares: list[list[float]] = []  # of each window, by layer
        self.step, self.seen = 0, 0
        self.used = [torch.zeros(size, dtype=torch.bool) for size in sizes]

    def add(self, codes: Tensor) -> None:
        """Take the codes [N, L] of a step."""
        self.step, self.seen = self.step + 1, self.seen + len(codes)
        for used, layer in zip(self.used, codes.cpu().T, strict=True):
            used[layer] = True
        if self.seen >= WINDOW:
            self.close()

    def close(self) -> None:
        """End the window, unless it is empty."""
        if self.seen == 0:
            return
        self.steps.append(self.step)
        self.shares.append([round(float(used.float().mean()), 4) for used in self.used])
        self.seen = 0
        for used in self.used:
            used.zero_()

    def facts(self) -> dict[str, Any]:
        """Return at most MOST windows: where each ends and what share of each layer it uses, [windows][layers]."""
        every = max(1, -(-len(self.steps) // MOST))
        return {"window": WINDOW, "steps": self.steps[::every], "shares": self.shares[::every]}


@contextmanager
def watch(quantizer: Quantizer, sizes: Sequence[int]) -> Iterator[CodeUse]:
    """Yield what hears of all codes that the quantizer chooses in training; a window cut short by the end counts."""
    use = CodeUse(sizes)

    def hear(module: Quantizer, asked: tuple[Tensor, Tensor], answer: tuple[Tensor, Tensor, Tensor]) -> None:
        if module.training:
            use.add(answer[1][asked[1]])

    hook = quantizer.register_forward_hook(hear)
    try:
        yield use
    finally:
        hook.remove()
    if not use.steps:
        use.close()
