"""Write answers token by token: what a model has read, random numbers of each trip's own, batches of like length.

HTP's own writer is `htp.language.sampling`; the variants here differ from it in what may come next, or in what is read.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import DynamicCache

from htp.compute.random_streams import TOKENS, uniforms
from htp.language.batch import Answer
from htp.language.language import Language
from htp.language.sampling import draw, in_batches

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from htp.city.network import City
    from htp.language.model import LanguageModel, TokenBatch
    from htp.language.prompt import PromptConditions, Question
    from htp.language.sampling import Sampling


class BatchLanguage(Language):
    """Stage 2 of a variant that writes the answers to a batch of questions in a way of its own."""

    def write(
        self,
        facts: PromptConditions,
        city: City,
        keys: NDArray[np.uint64],
        sampling: Sampling,
        progress: Callable[[int], None] | None = None,
    ) -> list[Answer]:
        """Return the answer of one trip for each of the facts."""

        def write(questions: list[Question], keys: NDArray[np.uint64]) -> list[Answer]:
            return self._write_batch(questions, keys, sampling)

        return in_batches(self.ask(facts, city), keys, write, progress=progress)

    @abstractmethod
    def _write_batch(self, questions: list[Question], keys: NDArray[np.uint64], sampling: Sampling) -> list[Answer]:
        """Return the answers to questions of like length."""


class Reader:
    """What a model has read of B sequences: key–value cache, mask and the last hidden state."""

    def __init__(self, backbone: nn.Module, embedded: Tensor, mask: Tensor) -> None:
        """Read the beginnings [B, S, hidden]; `mask` [B, S] is false where there is padding, on the left."""
        self.backbone, self.cache, self.mask = backbone, DynamicCache(), mask.long()
        self.position = mask.sum(dim=1)  # of the next token
        self.h = self._read(embedded, (self.mask.cumsum(dim=1) - 1).clamp_min(0))
        self.last = self.h[:, -1]

    def step(self, embedded: Tensor) -> None:
        """Read one more token [B, hidden]."""
        self.mask = torch.cat([self.mask, torch.ones_like(self.mask[:, :1])], dim=1)
        self.last = self._read(embedded[:, None], self.position[:, None])[:, 0]
        self.position = self.position + 1

    def _read(self, embedded: Tensor, position: Tensor) -> Tensor:
        return self.backbone(
            inputs_embeds=embedded,
            attention_mask=self.mask,
            position_ids=position,
            past_key_values=self.cache,
            use_cache=True,
        ).last_hidden_state


class PatternSampler:
    """Write anchors and codes as HTP does, as many patterns as are asked for."""

    def __init__(
        self, model: LanguageModel, asked: TokenBatch, reader: Reader, keys: Tensor, sampling: Sampling
    ) -> None:
        """Begin after what `reader` has read; `keys` [B, R, .] are those of the roads."""
        self.model, self.asked, self.reader, self.keys, self.sampling = model, asked, reader, keys, sampling
        self.counts = asked.patterns  # [B] of the answers
        self.most = int(asked.patterns.max())

    @property
    def per_pattern(self) -> int:
        """Random numbers of a pattern: its anchor, its codes, and whether the answer ends before it."""
        return len(self.model.vocabulary.codebook_sizes) + 2

    def write(self, keys: NDArray[np.uint64]) -> list[Answer]:
        """Return the answers drawn from the streams of `keys` [B, 2]."""
        asked, model = self.asked, self.model
        uniform = torch.from_numpy(uniforms(keys, TOKENS, self.most * self.per_pattern)).to(asked.ids.device)
        rows = torch.arange(len(asked.ids), device=asked.ids.device)
        before, anchors, codes = torch.zeros_like(rows), [], []
        for pattern in range(self.most):
            draws = uniform[:, pattern * self.per_pattern : (pattern + 1) * self.per_pattern]
            if self.over(pattern, draws[:, -1]):
                break
            number = torch.full_like(before, pattern)[:, None]
            logits = model.anchor_logits(self.reader.last[:, None], self.keys, asked, before[:, None], number)
            before = draw(logits[:, 0], draws[:, 0], self.sampling)
            road_at = asked.first_road_at + before
            embedded = model.embed(asked.ids[rows, road_at][:, None], asked.place[rows, road_at][:, None])
            anchors.append(before)
            codes.append(self._codes(embedded[:, 0], draws[:, 1:-1]))
        counts = self.counts.tolist()
        anchors_, codes_ = torch.stack(anchors, 1).cpu().numpy(), torch.stack(codes, 1).cpu().numpy()
        pairs = zip(anchors_, codes_, counts, strict=True)
        return [Answer(a[:count].astype(np.int32), c[:count].astype(np.int16)) for a, c, count in pairs]

    def over(self, pattern: int, uniform: Tensor) -> bool:  # noqa: ARG002  for variants that may end anywhere
        """Return whether all answers end before this pattern."""
        return pattern == self.most

    def _codes(self, embedded: Tensor, draws: Tensor) -> Tensor:
        """Read a pattern's first token, draw its codes [B, L] and read them."""
        return write_codes(self.model, self.reader, embedded, draws, self.sampling)


def write_codes(model: LanguageModel, reader: Reader, embedded: Tensor, draws: Tensor, sampling: Sampling) -> Tensor:
    """Read `embedded` [B, hidden], draw the codes of a pattern [B, L] one layer after another and read them too."""
    codes = []
    for layer in range(draws.shape[1]):
        reader.step(embedded)
        codes.append(draw(model.code_logits(reader.last, layer).float(), draws[:, layer], sampling))
        embedded = model.embed_code(layer, codes[-1])
    reader.step(embedded)
    return torch.stack(codes, dim=1)
