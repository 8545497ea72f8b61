"""Optimise by AdamW, as all stages do, or a transformer's matrices by Muon and everything else by AdamW.

Muon makes every step of a matrix equally large in all directions; embeddings, heads and norms are not what it is for.
Both count learning rates alike (Muon's steps are scaled to the size of AdamW's).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch import Tensor, nn

BETAS = (0.9, 0.98)
MOMENTUM, RMS, TINY = 0.95, 0.2, 1e-7  # as in PyTorch's Muon, and so are the next
NEWTON_SCHULZ, ITERATIONS = (3.4445, -4.775, 2.0315), 5


def adamw(
    weights: Iterable[nn.Parameter],
    learning_rate: float,
    weight_decay: float,
    undecayed: Iterable[nn.Parameter] = (),
) -> torch.optim.AdamW:
    """Return AdamW for those of the weights that are trained; biases, norms and what is `undecayed` do not decay."""
    kept = {id(weight) for weight in undecayed}
    groups: list[dict[str, Any]] = [{"params": [], "weight_decay": decay} for decay in (weight_decay, 0.0)]
    for weight in weights:
        if weight.requires_grad:
            groups[weight.ndim <= 1 or id(weight) in kept]["params"].append(weight)
    return torch.optim.AdamW(groups, learning_rate, BETAS, fused=True)  # on a CPU a quarter of the time


class Muon(torch.optim.Optimizer):
    """Muon (Jordan and others, 2024) with Nesterov momentum; matrices of one shape are made orthogonal together.

    PyTorch's own computes in bfloat16, one matrix after another: twenty times as slow on a processor without bfloat16.
    Here a processor computes in float32. Steps are those of its "match_rms_adamw".
    """

    def __init__(self, matrices: Iterable[nn.Parameter], learning_rate: float, weight_decay: float) -> None:
        super().__init__(matrices, {"lr": learning_rate, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take a step."""
        loss = None if closure is None else closure()
        for group in self.param_groups:
            alike: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for matrix in group["params"]:
                if matrix.grad is not None:
                    alike[matrix.shape].append(matrix)
            for shape, matrices in alike.items():
                updates = orthogonal(torch.stack([self._heading(matrix) for matrix in matrices]))
                step = group["lr"] * RMS * max(shape) ** 0.5
                for matrix, update in zip(matrices, updates, strict=True):
                    matrix.mul_(1.0 - group["lr"] * group["weight_decay"]).sub_(update.to(matrix.dtype), alpha=step)
        return loss

    def _heading(self, matrix: nn.Parameter) -> Tensor:
        """Return the gradient carried on by its momentum."""
        assert matrix.grad is not None
        state = self.state[matrix]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(matrix.grad)
        momentum: Tensor = state["momentum_buffer"].lerp_(matrix.grad, 1.0 - MOMENTUM)
        return matrix.grad.lerp(momentum, MOMENTUM)


def orthogonal(matrices: Tensor) -> Tensor:
    """Return the nearest matrices [B, M, N] whose singular values are all about 1 (a Newton-Schulz iteration)."""
    x = matrices.bfloat16() if matrices.device.type == "cuda" else matrices.float()
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    x = x / torch.linalg.matrix_norm(x, keepdim=True).clamp_min(TINY)
    a, b, c = NEWTON_SCHULZ
    for _ in range(ITERATIONS):
        square = x @ x.mT
        x = a * x + torch.baddbmm(square, square, square, beta=b, alpha=c) @ x
    return x.mT if tall else x


class MuonAndAdamW(torch.optim.Optimizer):
    """Muon for `matrices` (there may be none), AdamW for all else that `model` trains."""

    def __init__(
        self, model: nn.Module, matrices: Sequence[nn.Parameter], learning_rate: float, weight_decay: float
    ) -> None:
        by_muon = {id(p) for p in matrices}
        rest = [p for p in model.parameters() if id(p) not in by_muon]
        parts: list[torch.optim.Optimizer] = [adamw(rest, learning_rate, weight_decay)]
        if matrices:
            parts.append(Muon(matrices, learning_rate, weight_decay))
        super().__init__([group for part in parts for group in part.param_groups], {})
        self.parts = parts
        self.param_groups = [group for part in parts for group in part.param_groups]  # theirs, not copies

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take a step with each."""
        loss = None if closure is None else closure()
        for part in self.parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the state of each, in order."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = [group for part in self.parts for group in part.param_groups]
