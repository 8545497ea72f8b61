"""Write answers that are valid by construction: anchor, a, b, c, d for every pattern, each drawn among what may stand.

Knows the model and its grammar, nothing of roads on a map or of points. Every trip draws from a stream of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from htp.errors import InputError
from htp.language.batch import Answer, collate_questions, shared_route
from htp.streams import TOKENS, uniforms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from htp.language.model import Asked, LanguageModel
    from htp.language.prompt import Question


BATCH = 128  # answers written at once
COLDEST = 1e-4  # ours: divided by less, logits are no numbers any more; the likeliest token wins anyway


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn."""

    temperature: float = 1.0  # 0: the likeliest token
    top_p: float = 1.0  # only the likeliest tokens that together have this probability

    def __post_init__(self) -> None:
        """Check the ranges; `InputError` says which is left."""
        if not 0.0 <= self.temperature <= 5.0:
            raise InputError(f"temperature is {self.temperature}; give 0 to 5.")
        if not 0.0 < self.top_p <= 1.0:
            raise InputError(f"top_p is {self.top_p}; give a number above 0 and up to 1.")


def write_answers(
    model: LanguageModel,
    questions: Sequence[Question],
    keys: NDArray[np.uint64],
    sampling: Sampling,
    *,
    batch_size: int = BATCH,
    progress: Callable[[int], None] | None = None,
) -> list[Answer]:
    """Return an answer for every question; `keys` [B, 2] (seed, place in the request) fix each one's random numbers."""

    def write(questions: list[Question], keys: NDArray[np.uint64]) -> list[Answer]:
        return _write_batch(model, questions, keys, sampling)

    return in_batches(questions, keys, write, batch_size=batch_size, progress=progress)


@torch.inference_mode()
def in_batches(
    questions: Sequence[Question],
    keys: NDArray[np.uint64],
    write: Callable[[list[Question], NDArray[np.uint64]], list[Answer]],
    *,
    batch_size: int = BATCH,
    progress: Callable[[int], None] | None = None,
) -> list[Answer]:
    """Return the answers to all questions, written for questions of like length together."""
    order = sorted(range(len(questions)), key=lambda row: (questions[row].points, len(questions[row].ids)))
    answers: dict[int, Answer] = {}
    for at in range(0, len(order), batch_size):
        rows = order[at : at + batch_size]
        answers.update(zip(rows, write([questions[row] for row in rows], keys[rows]), strict=True))
        if progress is not None:
            progress(len(rows))
    return [answers[row] for row in range(len(questions))]


def _write_batch(
    model: LanguageModel, questions: list[Question], keys: NDArray[np.uint64], sampling: Sampling
) -> list[Answer]:
    layers = len(model.vocabulary.codebook_sizes)
    device = model.rows.small.weight.device
    shared = shared_route(questions)
    asked = collate_questions(questions, layers, shared).to(device)
    patterns = asked.codes.shape[1]
    uniform = torch.from_numpy(uniforms(keys, TOKENS, patterns * (layers + 1))).to(device)
    writer = _Writer(model, asked, sampling, shared)
    rows = torch.arange(len(questions), device=device)
    before = torch.zeros(len(questions), dtype=torch.long, device=device)
    for pattern in range(patterns):
        draws = uniform[:, pattern * (layers + 1) :]
        before = writer.anchor(before, pattern, draws[:, 0])
        asked.anchors[:, pattern] = before
        road_at = asked.first_road_at + before
        token, place = asked.ids[rows, road_at], asked.place[rows, road_at]
        for layer in range(layers):
            writer.step(token, place)
            code = writer.code(layer, draws[:, layer + 1])
            asked.codes[:, pattern, layer] = code
            token = model.text_size + model.vocabulary.first_code(layer) + code
            place = torch.zeros_like(place)
        if pattern + 1 < patterns:
            writer.step(token, place)
    anchors, codes, counts = asked.anchors.cpu().numpy(), asked.codes.cpu().numpy(), asked.patterns.tolist()
    return [Answer(anchors[i, :n].astype(np.int32), codes[i, :n].astype(np.int16)) for i, n in enumerate(counts)]


class _Writer:
    """The state of a batch of answers: key–value cache, the last hidden state, the keys of the route's roads."""

    def __init__(self, model: LanguageModel, asked: Asked, sampling: Sampling, shared: int) -> None:
        """Read the questions; their first `shared` tokens, the same in all of them, are read only once."""
        self.model, self.asked, self.sampling = model, asked, sampling
        self.cache = DynamicCache()
        self.mask = asked.mask.long()
        self.position = asked.mask.sum(dim=1)  # of the next token; padding does not count
        position = (self.mask.cumsum(dim=1) - 1).clamp_min(0)
        embedded = model.embed(asked.ids, asked.place)
        roads = asked.road_mask.shape[1]
        if shared:
            route = self._read(embedded[:1, :shared], self.mask[:1, :shared], position[:1, :shared])
            self.cache.batch_repeat_interleave(len(embedded))
            self.keys = model.road_keys(route, asked.first_road_at[:1], roads).expand(len(embedded), -1, -1)
        h = self._read(embedded[:, shared:], self.mask, position[:, shared:])
        if not shared:
            self.keys = model.road_keys(h, asked.first_road_at, roads)
        self.last = h[:, -1]

    def _read(self, embedded: Tensor, mask: Tensor, position: Tensor) -> Tensor:
        """Return the last hidden states [B, S, hidden] of the next tokens; `mask` is that of all tokens so far."""
        return self.model.backbone(
            inputs_embeds=embedded,
            attention_mask=mask,
            position_ids=position,
            past_key_values=self.cache,
            use_cache=True,
        ).last_hidden_state

    def step(self, token: Tensor, place: Tensor) -> None:
        """Read one more token [B]."""
        self.mask = torch.cat([self.mask, torch.ones_like(self.mask[:, :1])], dim=1)
        embedded = self.model.embed(token[:, None], place[:, None])
        self.last = self._read(embedded, self.mask, self.position[:, None])[:, 0]
        self.position = self.position + 1

    def anchor(self, before: Tensor, pattern: int, uniform: Tensor) -> Tensor:
        """Draw the road on which the pattern ends, [B]."""
        number = torch.full_like(before, pattern)[:, None]
        logits = self.model.anchor_logits(self.last[:, None], self.keys, self.asked, before[:, None], number)
        return draw(logits[:, 0] * self.model.sharpness[0], uniform, self.sampling)

    def code(self, layer: int, uniform: Tensor) -> Tensor:
        """Draw the code of a layer, [B]."""
        logits = self.model.code_logits(self.last, layer).float() * self.model.sharpness[layer + 1]
        return draw(logits, uniform, self.sampling)


def draw(logits: Tensor, uniform: Tensor, sampling: Sampling) -> Tensor:
    """Draw from logits [B, C] by inverting the distribution at `uniform` [B]; the likeliest come first."""
    if sampling.temperature < COLDEST:
        return logits.argmax(dim=-1)
    probability, index = (logits / sampling.temperature).softmax(dim=-1).sort(dim=-1, descending=True)
    cumulative = probability.cumsum(dim=-1)
    kept = (cumulative - probability) < sampling.top_p
    mass = (probability * kept).sum(dim=-1, keepdim=True)
    place = (cumulative < uniform[:, None] * mass).sum(dim=-1, keepdim=True)
    last = ((kept & (probability > 0)).sum(dim=-1, keepdim=True) - 1).clamp_min(0)  # top_p may round to nothing
    return index.gather(1, torch.minimum(place, last))[:, 0]
