"""A language model whose answers are pieces of text, written under a grammar so that every answer can be read back.

A grammar is a generator: it yields what may be written next as a tree of text ids and is sent the number that was
written. All texts of one tree are equally long, so none begins another, and the end of each is known.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from htp.compute.random_streams import TOKENS, stream_of
from htp.language.batch import collate_questions
from htp.language.kv_cache import DynamicKVCache
from htp.language.model import LanguageModel, TokenBatch
from htp.language.sampling import draw

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from htp.language.batch import Answer
    from htp.language.prompt import Question
    from htp.trip_source import Sampling

Tree = dict[int, Any]  # the next text id → a tree, or the number that the text stands for
Grammar = Generator[Tree, int, "Answer"]


class TextModel(LanguageModel):
    """A backbone whose head is its embedding of text."""

    names_anchors = False

    def loss(self, batch: TokenBatch) -> Tensor:
        """Return the mean cross-entropy of the answers' text, each piece among the whole vocabulary."""
        h, ids, real = read_written(self, batch)
        return F.cross_entropy(self.text_logits(h[real]).float(), ids[real])

    def text_logits(self, h: Tensor) -> Tensor:
        """Return the logits [..., text_size] of the next piece of text."""
        text = cast("nn.Embedding", self.backbone.get_input_embeddings())
        return F.linear(self._even(h), text.weight.to(h.dtype))


class PlainTextModel(TextModel):
    """The same for questions that are text alone: it knows no other tokens, and no place of a road on its route."""

    def embed(self, ids: Tensor, place: Tensor) -> Tensor:  # noqa: ARG002  the same call as its parent
        """Return input embeddings [B, S, hidden] of ids [B, S]."""
        return self.backbone.get_input_embeddings()(ids)


def collate_written(questions: Sequence[Question], written: Sequence[NDArray[np.int64]]) -> TokenBatch:
    """Return questions, padded on the left, and behind them the ids of their answers, padded on the right."""
    batch = collate_questions(questions, layers=1)
    longest = max(len(ids) for ids in written)
    ids, real = np.zeros((len(written), longest), np.int64), np.zeros((len(written), longest), np.bool_)
    for row, answer in enumerate(written):
        ids[row, : len(answer)], real[row, : len(answer)] = answer, True
    place = torch.zeros(len(written), longest, batch.place.shape[2])
    return replace(
        batch,
        ids=torch.cat([batch.ids, torch.from_numpy(ids)], dim=1),
        mask=torch.cat([batch.mask, torch.from_numpy(real)], dim=1),
        place=torch.cat([batch.place, place], dim=1),
    )


def read_written(model: LanguageModel, batch: TokenBatch) -> tuple[Tensor, Tensor, Tensor]:
    """Return what each token of the answers is predicted from [B, A, hidden], its id [B, A], and whether it is real."""
    begin = int(batch.answer_at[0])  # the same for all, as questions are padded on the left
    h = model.backbone(
        inputs_embeds=model.embed(batch.ids, batch.place), attention_mask=batch.mask.long(), use_cache=False
    ).last_hidden_state
    return h[:, begin - 1 : -1], batch.ids[:, begin:], batch.mask[:, begin:]


def tree_of(numbers: Iterable[tuple[int, Sequence[int]]]) -> Tree:
    """Return the tree of numbers and the text ids that each is written with."""
    tree: Tree = {}
    for number, ids in numbers:
        node = tree
        for token in ids[:-1]:
            node = node.setdefault(token, {})
        node[ids[-1]] = number
    return tree


def write_text(
    model: TextModel,
    batch: TokenBatch,
    grammars: Sequence[Grammar],
    keys: NDArray[np.uint64],
    sampling: Sampling,
) -> list[Answer]:
    """Return an answer for every question, drawn among what its grammar lets stand next."""
    kv_cache = DynamicKVCache(model.backbone, len(keys))
    last = kv_cache.read(model.embed(batch.ids, batch.place), batch.mask)[:, -1]
    streams = [stream_of(key, TOKENS) for key in keys]
    open_ = {row: next(grammar) for row, grammar in enumerate(grammars)}  # where each unfinished answer stands
    answers: dict[int, Answer] = {}
    while True:
        uniform = np.array([stream.random(dtype=np.float32) for stream in streams])
        token = _draw(model, last, open_, uniform, sampling)
        for row, piece in enumerate(token.tolist()):
            if row in open_:
                open_[row] = open_[row][piece]
                if not isinstance(open_[row], dict):
                    _go_on(row, grammars[row], open_, answers)
        if not open_:
            return [answers[row] for row in range(len(grammars))]
        nowhere = batch.place.new_zeros(len(token), 1, batch.place.shape[2])
        last = kv_cache.step(model.embed(token[:, None], nowhere)[:, 0])


def _draw(model: TextModel, last: Tensor, open_: dict[int, Tree], uniform: NDArray, sampling: Sampling) -> Tensor:
    """Draw the next piece of each answer [B] among those allowed; answers that are finished get piece 0."""
    allowed = np.zeros((len(uniform), model.text_size), np.bool_)
    allowed[:, 0] = True
    for row, tree in open_.items():
        allowed[row, 0] = False
        allowed[row, list(tree)] = True
    logits = model.text_logits(last).float().masked_fill(~torch.from_numpy(allowed).to(last.device), -torch.inf)
    return draw(logits, torch.from_numpy(uniform).to(last.device), sampling)


def _go_on(row: int, grammar: Grammar, open_: dict[int, Any], answers: dict[int, Answer]) -> None:
    """Tell a grammar the number that was written; keep what may come next, or the answer where it is finished."""
    try:
        open_[row] = grammar.send(open_[row])
    except StopIteration as finished:
        answers[row] = finished.value
        del open_[row]
