"""Train and write answers that are plain sequences of tokens: no anchors are chosen, one token follows another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from htp.language.batch import collate_questions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from htp.language.model import LanguageModel, TokenBatch
    from htp.language.prompt import Question


def collate_written(questions: Sequence[Question], written: Sequence[NDArray[np.int64]]) -> TokenBatch:
    """Return questions, padded on the left, and behind them the ids of their answers, padded on the right."""
    asked = collate_questions(questions, layers=1)
    longest = max(len(ids) for ids in written)
    ids, real = np.zeros((len(written), longest), np.int64), np.zeros((len(written), longest), np.bool_)
    for row, answer in enumerate(written):
        ids[row, : len(answer)], real[row, : len(answer)] = answer, True
    place = torch.zeros(len(written), longest, asked.place.shape[2])
    return replace(
        asked,
        ids=torch.cat([asked.ids, torch.from_numpy(ids)], dim=1),
        mask=torch.cat([asked.mask, torch.from_numpy(real)], dim=1),
        place=torch.cat([asked.place, place], dim=1),
    )


def read_written(model: LanguageModel, asked: TokenBatch) -> tuple[Tensor, Tensor, Tensor]:
    """Return what each token of the answers is predicted from [B, A, hidden], its id [B, A], and whether it is real."""
    begin = int(asked.answer_at[0])  # the same for all, as questions are padded on the left
    h = model.backbone(
        inputs_embeds=model.embed(asked.ids, asked.place), attention_mask=asked.mask.long(), use_cache=False
    ).last_hidden_state
    return h[:, begin - 1 : -1], asked.ids[:, begin:], asked.mask[:, begin:]
