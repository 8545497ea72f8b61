"""Predict the codes of a pattern by a small depth network, so that the transformer runs once a pattern (ours).

The paper has a transformer's step a code, five a pattern. Here, as in the RQ-Transformer and in moshi, a pattern is one
token to the transformer, the sum of its anchor and its codes; from the transformer's state a network of one hidden
layer a code goes through the codes drawn so far to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from htp.language.model import LanguageModel, taken

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp.language.model import TokenBatch

WIDTH = 128  # of the hidden layer


class Depth(nn.Module):
    """One step within a pattern: a state and the token before to the state that the next code is predicted from."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.state_norm, self.token_norm = nn.RMSNorm(hidden), nn.RMSNorm(hidden)
        self.within, self.out = nn.Linear(2 * hidden, WIDTH), nn.Linear(WIDTH, hidden)

    def forward(self, state: Tensor, token: Tensor) -> Tensor:
        """Return the next state [..., hidden] of a state and the embedding of a token [..., hidden]."""
        read = torch.cat([self.state_norm(state), self.token_norm(token)], dim=-1)
        return state + self.out(F.gelu(self.within(read)))


class DepthModel(LanguageModel):
    """The language model with a depth network instead of a transformer's step a code."""

    depth: nn.ModuleList  # a `Depth` a layer of codes

    def add_layers(self, hidden: int) -> None:
        """Add the depth network."""
        self.depth = nn.ModuleList(Depth(hidden) for _ in self.vocabulary.codebook_sizes)

    def read(self, batch: TokenBatch, patterns: int) -> tuple[Tensor, Tensor]:
        """Return what the tokens of so many patterns are predicted from, [B, P, 1 + L, hidden], and the roads' keys."""
        h, state, answer = self._before(batch, patterns)
        states = [state]
        for layer, depth in enumerate(self.depth):
            states.append(depth(states[-1], answer[:, :, layer]))
        return torch.stack(states, dim=2), self.road_keys(h, batch.first_road_at, batch.road_mask.shape[1])

    def redraw(self, batch: TokenBatch) -> Tensor:
        """Draw each pattern's codes anew by torch's random numbers, given its anchor and the true patterns before it.

        Returns [B, P, L]; what stands beyond a trip's last pattern means nothing.
        """
        _, state, answer = self._before(batch, batch.codes.shape[1])

        def choose(layer: int, state: Tensor) -> Tensor:
            return torch.multinomial(self.code_logits(state, layer).float().softmax(dim=-1), 1)[:, 0]

        codes, _ = self.write(state.flatten(0, 1), answer[:, :, 0].flatten(0, 1), choose)
        return torch.stack(codes, dim=1).unflatten(0, batch.codes.shape[:2])

    def _before(self, batch: TokenBatch, patterns: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return all states [B, S, .], each pattern's before it [B, P, .], its tokens, embedded, [B, P, 1 + L, .]."""
        embedded, tokens = self.embed(batch.ids, batch.place), 1 + batch.codes.shape[2]
        number = torch.arange(patterns, device=embedded.device)
        written = batch.answer_at[:, None] + torch.arange(patterns * tokens, device=embedded.device)
        answer = taken(embedded, written).unflatten(1, (patterns, tokens))
        places = (batch.answer_at[:, None] + number)[..., None].expand(-1, -1, embedded.shape[-1])
        width = int(batch.answer_at.max()) + patterns
        short = F.pad(embedded, (0, 0, 0, max(width - embedded.shape[1], 0)))[:, :width]
        short = short.scatter(1, places, answer.sum(dim=2))
        mask = torch.arange(width, device=embedded.device) < (batch.answer_at + batch.patterns)[:, None]
        h = self.backbone(inputs_embeds=short, attention_mask=mask.long(), use_cache=False).last_hidden_state
        return h, taken(h, batch.answer_at[:, None] - 1 + number), answer

    def write(
        self, state: Tensor, anchor: Tensor, choose: Callable[[int, Tensor], Tensor]
    ) -> tuple[list[Tensor], Tensor]:
        """Return a pattern's codes, [B] a layer, and its embedding [B, hidden] as one token.

        `state` and `anchor` [B, hidden] are the transformer's state and the anchor's embedding; `choose` gives the
        codes of a layer for the states that they are predicted from.
        """
        codes, token, whole = [], anchor, anchor
        for layer, depth in enumerate(self.depth):
            state = depth(state, token)
            codes.append(choose(layer, state))
            token = self.embed_code(layer, codes[-1])
            whole = whole + token
        return codes, whole
