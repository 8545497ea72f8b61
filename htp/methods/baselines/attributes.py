"""Embed the attributes of trips in two ways at once: wide for numbers, deep for categories (DiffTraj's Wide & Deep)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from htp.methods.baselines.data import CELLS, NUMBERS, SLOTS

if TYPE_CHECKING:
    from htp.methods.baselines.data import AttributeBatch


class WideDeep(nn.Module):
    """The sum of a linear layer over numbers and a small network over the embeddings of categories."""

    def __init__(self, numbers: int, categories: tuple[int, ...], hidden: int, width: int) -> None:
        super().__init__()
        self.wide = nn.Linear(numbers, width)
        self.tables = nn.ModuleList(nn.Embedding(rows, hidden) for rows in categories)
        self.deep = nn.Sequential(nn.Linear(hidden * len(categories), width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, numbers: Tensor, categories: Tensor) -> Tensor:
        """Return the embedding [B, W] of numbers [B, N] and categories [B, K], long."""
        found = [table(categories[:, at]) for at, table in enumerate(self.tables)]
        return self.wide(numbers) + self.deep(torch.cat(found, dim=-1))


class Attributes(WideDeep):
    """The eight attributes of DiffTraj, or with `cells` false the six of ControlTraj, in tables of width `hidden`."""

    def __init__(self, hidden: int, width: int, *, cells: bool = True) -> None:
        super().__init__(NUMBERS, (SLOTS, CELLS, CELLS) if cells else (SLOTS,), hidden, width)
        self.cells = cells

    def of(self, wanted: AttributeBatch) -> Tensor:
        """Return the embedding of conditions, [B, W]."""
        slots = wanted.slots[:, None]
        return self(wanted.numbers, torch.cat([slots, wanted.cells], dim=1) if self.cells else slots)

    def of_nothing(self, count: int) -> Tensor:
        """Return the embedding of attributes that are all zero, as DiffTraj marks their absence, [count, W]."""
        device = self.wide.weight.device
        categories = torch.zeros((count, len(self.tables)), dtype=torch.long, device=device)
        return self(torch.zeros((count, NUMBERS), device=device), categories)
