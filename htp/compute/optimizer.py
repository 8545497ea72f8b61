"""Optimise by AdamW, as all stages do, or a transformer's matrices by Muon and everything else by AdamW.

Muon makes every step of a matrix equally large in all directions; embeddings, heads and norms are not what it is for.
Both count learning rates alike (Muon's steps are scaled to the size of AdamW's).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch import nn

BETAS = (0.9, 0.98)


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


class MuonAndAdamW(torch.optim.Optimizer):
    """Muon for `matrices` (there may be none), AdamW for all else that `model` trains."""

    def __init__(
        self, model: nn.Module, matrices: Sequence[nn.Parameter], learning_rate: float, weight_decay: float
    ) -> None:
        by_muon = {id(p) for p in matrices}
        rest = [p for p in model.parameters() if id(p) not in by_muon]
        parts: list[torch.optim.Optimizer] = [adamw(rest, learning_rate, weight_decay)]
        if matrices:
            muon = torch.optim.Muon(matrices, learning_rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
            parts.append(muon)
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
