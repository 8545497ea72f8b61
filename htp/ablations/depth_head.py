"""HTP whose transformer runs once a pattern: its codes are predicted by a small network of their own.

As the RQ-Transformer and moshi do it. A pattern is one token to the transformer, the sum of its anchor and its codes; a
depth network of one hidden layer a code goes from the transformer's state through the codes drawn so far to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from htp.ablations.whole import HTP
from htp.ablations.writing import BatchLanguage
from htp.language.decode import Writer, write_batch
from htp.language.model import LanguageModel, taken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from peft import PeftModel
    from transformers import PreTrainedModel

    from htp.language.batch import Answer
    from htp.language.decode import Sampling
    from htp.language.model import Asked
    from htp.language.prompt import Question
    from htp.language.vocabulary import Vocabulary


class Depth(nn.Module):
    """One step within a pattern: a state and the token before to the state that the next code is predicted from."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.state_norm, self.token_norm = nn.RMSNorm(hidden), nn.RMSNorm(hidden)
        self.within, self.out = nn.Linear(2 * hidden, 2 * hidden), nn.Linear(2 * hidden, hidden)

    def forward(self, state: Tensor, token: Tensor) -> Tensor:
        """Return the next state [..., hidden] of a state and the embedding of a token [..., hidden]."""
        read = torch.cat([self.state_norm(state), self.token_norm(token)], dim=-1)
        return state + self.out(F.gelu(self.within(read)))


class DepthModel(LanguageModel):
    """HTP's language model with a depth network instead of a transformer's step a code."""

    def __init__(
        self,
        backbone: PreTrainedModel | PeftModel,
        vocabulary: Vocabulary,
        text_size: int,
        road_features: Tensor | None = None,
        gain: Tensor | None = None,
    ) -> None:
        super().__init__(backbone, vocabulary, text_size, road_features, gain)
        self.depth = nn.ModuleList(Depth(backbone.config.hidden_size) for _ in vocabulary.codebook_sizes)

    def read(self, asked: Asked, patterns: int) -> tuple[Tensor, Tensor]:
        """Return what the tokens of so many patterns are predicted from, [B, P, 1 + L, hidden], and the roads' keys."""
        embedded, tokens = self.embed(asked.ids, asked.place), 1 + asked.codes.shape[2]
        number = torch.arange(patterns, device=embedded.device)
        written = asked.answer_at[:, None] + torch.arange(patterns * tokens, device=embedded.device)
        answer = taken(embedded, written).unflatten(1, (patterns, tokens))
        places = (asked.answer_at[:, None] + number)[..., None].expand(-1, -1, embedded.shape[-1])
        width = int(asked.answer_at.max()) + patterns
        short = F.pad(embedded, (0, 0, 0, max(width - embedded.shape[1], 0)))[:, :width]
        short = short.scatter(1, places, answer.sum(dim=2))
        mask = torch.arange(width, device=embedded.device) < (asked.answer_at + asked.patterns)[:, None]
        h = self.backbone(inputs_embeds=short, attention_mask=mask.long(), use_cache=False).last_hidden_state
        states = [taken(h, asked.answer_at[:, None] - 1 + number)]
        for layer, depth in enumerate(self.depth):
            states.append(depth(states[-1], answer[:, :, layer]))
        return torch.stack(states, dim=2), self.road_keys(h, asked.first_road_at, asked.road_mask.shape[1])


class DepthWriter(Writer):
    """Write a pattern's codes by the depth network, then read the pattern as one token."""

    model: DepthModel

    def codes(self, before: Tensor, pattern: int, uniform: Tensor, *, go_on: bool) -> None:
        """Draw the codes of a pattern that ends on the roads `before` [B]; `uniform` [B, L]."""
        token = whole = self.model.embed(*self.road(before))
        for layer, depth in enumerate(self.model.depth):
            self.last = depth(self.last, token)
            code = self.code(layer, uniform[:, layer])
            self.asked.codes[:, pattern, layer] = code
            token = self.model.embed_code(layer, code)
            whole = whole + token
        if go_on:
            self.last = self.reader.step(whole)


class DepthLanguage(BatchLanguage):
    """Stage 2 with a depth network."""

    model_type = DepthModel
    model: DepthModel

    def _write_batch(self, questions: list[Question], keys: NDArray[np.uint64], sampling: Sampling) -> list[Answer]:
        return write_batch(self.model, questions, keys, sampling, DepthWriter)


class DepthHead(HTP):
    """One step of the transformer a pattern instead of five."""

    name = "depth head"
    language_type = DepthLanguage
