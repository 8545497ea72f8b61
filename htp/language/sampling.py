"""Write answers that are valid by construction: anchor, a, b, c, d for every pattern, each drawn among what may stand.

Knows the model and its grammar, nothing of roads on a map or of points. Every trip draws from a stream of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from htp.compute.random_streams import TOKENS, uniforms
from htp.language.batch import Answer, collate_questions, shared_tokens
from htp.language.depth import DepthModel
from htp.language.kv_cache import kv_cache_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from htp.language.model import LanguageModel, TokenBatch
    from htp.language.prompt import Question
    from htp.trip_source import Sampling


BATCH = 128  # answers written at once
HIGHEST = 1.0 - 2.0**-20  # ours: of uniform numbers, whose product with a sum must be less than it when rounded
COLDEST = 1e-4  # ours: divided by less, logits are no numbers any more; the likeliest token wins anyway


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


def sample_batch(
    model: LanguageModel, questions: list[Question], keys: NDArray[np.uint64], sampling: Sampling
) -> list[Answer]:
    """Return the answers to questions in order of their lengths."""
    shared = shared_tokens(questions)
    batch = collate_questions(questions, len(model.vocabulary.codebook_sizes), shared)
    return sampler_of(model)(model, batch.to(model.rows.small.weight.device), sampling, shared).sample(keys)


def sampled_answers(batch: TokenBatch, counts: Sequence[int]) -> list[Answer]:
    """Return the first patterns of each answer in a batch, so many as `counts` says."""
    anchors, codes = batch.anchors.cpu().numpy(), batch.codes.cpu().numpy()
    return [Answer(anchors[i, :n].astype(np.int32), codes[i, :n].astype(np.int16)) for i, n in enumerate(counts)]


class Sampler:
    """The state of a batch of answers: what has been read, the last hidden state, the keys of the route's roads."""

    def __init__(self, model: LanguageModel, batch: TokenBatch, sampling: Sampling, shared: int = 0) -> None:
        """Read the questions; their first `shared` tokens, the same in all of them, are read only once."""
        self.model, self.batch, self.sampling = model, batch, sampling
        texts, width = batch.ids.shape
        answer = batch.anchors.shape[1] * self.steps(batch.codes.shape[2])
        self.kv_cache = kv_cache_of(model.backbone, texts, width - shared + answer)
        self.embedded = model.embed(batch.ids, batch.place)
        self.last = self.read(shared)

    def read(self, shared: int) -> Tensor:
        """Read the questions and keep the keys of their roads; return the last hidden state [B, hidden]."""
        batch, embedded, roads = self.batch, self.embedded, self.batch.road_mask.shape[1]
        if shared:
            route = self.kv_cache.share(embedded[:1, :shared])
            self.keys = self.model.road_keys(route, batch.first_road_at[:1], roads).expand(len(embedded), -1, -1)
        h = self.kv_cache.read(embedded[:, shared:], batch.mask[:, shared:])
        if not shared:
            self.keys = self.model.road_keys(h, batch.first_road_at, roads)
        return h[:, -1]

    def sample(self, keys: NDArray[np.uint64]) -> list[Answer]:
        """Return the answers drawn from the streams of `keys` [B, 2]; short ones leave the batch when they are done."""
        batch, layers = self.batch, self.batch.codes.shape[2]
        counts = batch.patterns.tolist()
        uniform = torch.from_numpy(uniforms(keys, TOKENS, counts[-1] * (layers + 1))).to(batch.ids.device)
        before, written = torch.zeros_like(batch.patterns), 0
        for pattern in range(counts[-1]):
            if counts[written] == pattern:
                done = bisect_right(counts, pattern) - written
                self.leave(done)
                uniform, before, written = uniform[done:], before[done:], written + done
            draws = uniform[:, pattern * (layers + 1) :]
            before = self.anchor(before, pattern, draws[:, 0])
            self.codes(before, pattern, draws[:, 1 : layers + 1], go_on=pattern + 1 < counts[-1])
        return sampled_answers(batch, counts)

    @staticmethod
    def steps(layers: int) -> int:
        """Return how often the backbone runs to write a pattern."""
        return 1 + layers

    def leave(self, done: int) -> None:
        """Go on without the first texts; what they have written stays where it is."""
        self.batch, self.embedded = self.batch.without(done), self.embedded[done:]
        self.keys, self.last = self.keys[done:], self.last[done:]
        self.kv_cache.leave(done)

    def anchor(self, before: Tensor, pattern: int, uniform: Tensor) -> Tensor:
        """Draw the road on which the pattern ends, [B]."""
        number = torch.full_like(before, pattern)[:, None]
        logits = self.model.anchor_logits(self.last[:, None], self.keys, self.batch, before[:, None], number)
        road = draw(logits[:, 0], uniform, self.sampling)
        self.batch.anchors[:, pattern] = road
        return road

    def road(self, road: Tensor) -> Tensor:
        """Return the input embeddings [B, hidden] of roads [B] of the routes."""
        return self.embedded[torch.arange(len(road), device=road.device), self.batch.first_road_at + road]

    def codes(self, before: Tensor, pattern: int, uniform: Tensor, *, go_on: bool) -> None:
        """Draw the codes of a pattern that ends on the roads `before` [B], and read it; `uniform` [B, L].

        The last token is read only where the answer is to `go_on`.
        """
        token = self.road(before)
        for layer in range(uniform.shape[1]):
            self.last = self.kv_cache.step(token)
            code = self.code(layer, uniform[:, layer])
            self.batch.codes[:, pattern, layer] = code
            token = self.model.embed_code(layer, code)
        if go_on:
            self.last = self.kv_cache.step(token)

    def code(self, layer: int, uniform: Tensor) -> Tensor:
        """Draw the code of a layer, [B]."""
        logits = self.model.code_logits(self.last, layer).float()
        return draw(logits, uniform, self.sampling)


class DepthSampler(Sampler):
    """Write a pattern's codes by the depth network, then read the pattern as one token."""

    model: DepthModel

    @staticmethod
    def steps(layers: int) -> int:  # noqa: ARG004  as many, whatever the layers
        """Return how often the backbone runs to write a pattern."""
        return 1

    def codes(self, before: Tensor, pattern: int, uniform: Tensor, *, go_on: bool) -> None:
        """Draw the codes of a pattern that ends on the roads `before` [B], and read it; `uniform` [B, L].

        The pattern is read only where the answer is to `go_on`.
        """

        def choose(layer: int, state: Tensor) -> Tensor:
            self.last = state
            return self.code(layer, uniform[:, layer])

        codes, whole = self.model.write(self.last, self.road(before), choose)
        self.batch.codes[:, pattern] = torch.stack(codes, dim=1)
        if go_on:
            self.last = self.kv_cache.step(whole)


def sampler_of(model: LanguageModel) -> type[Sampler]:
    """Return how the answers of a model are written."""
    return DepthSampler if isinstance(model, DepthModel) else Sampler


def draw(logits: Tensor, uniform: Tensor, sampling: Sampling) -> Tensor:
    """Draw from logits [B, C] by inverting the distribution at `uniform` [B]."""
    if sampling.temperature < COLDEST:
        return logits.argmax(dim=-1)
    probability = (logits / sampling.temperature).softmax(dim=-1)
    if sampling.top_p < 1.0:
        probability = _likeliest(probability, sampling.top_p)
    cumulative = probability.cumsum(dim=-1)
    return (cumulative <= uniform.clamp_max(HIGHEST)[:, None] * cumulative[:, -1:]).sum(dim=-1)


def _likeliest(probability: Tensor, top_p: float) -> Tensor:
    """Return probabilities [B, C] with zeros but for the fewest, likeliest first, that have `top_p` together."""
    ordered, index = probability.sort(dim=-1, descending=True)
    kept = ordered.cumsum(dim=-1) - ordered < top_p
    kept[:, 0] = True  # one is always left, also where `top_p` is no more than 0 to a float32
    return probability * torch.zeros_like(kept).scatter(1, index, kept)
