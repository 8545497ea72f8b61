"""Ask both models how well they know a trip: what they were trained to make small, for each trip by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from htp.conditions import prompt_conditions_of
from htp.generate import answers_of
from htp.tokenizer.batch import Batches
from htp.tokenizer.features import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.language.language import Language
    from htp.tokenizer.tokenizer import Tokenizer

BATCH = 32


@torch.inference_mode()
def tokenizer_loss(trips: gpd.GeoDataFrame, tokenizer: Tokenizer) -> NDArray[np.float64]:
    """Return how badly each trip goes through the tokenizer and back, [B]: nats a step, metres where none is drawn."""
    batches = Batches(describe(trips, tokenizer.city, inputs=tokenizer.model.config.inputs))
    loss = np.zeros(len(trips))
    for rows in batches.epoch(BATCH, None):
        loss[rows] = tokenizer.model.trip_losses(batches.collate(rows).to(tokenizer.device)).cpu().numpy()
    return loss


@torch.inference_mode()
def language_loss(
    trips: gpd.GeoDataFrame,
    tokenizer: Tokenizer,
    language: Language,
    progress: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float64]:
    """Return the negative log-likelihood of each trip's answer to its question, mean of its tokens in nats, [B]."""
    questions = language.ask(prompt_conditions_of(trips, tokenizer.city), tokenizer.city)
    answers = answers_of(tokenizer.encode(trips))
    device = next(language.model.parameters()).device
    loss = np.zeros(len(questions))
    order = np.argsort([len(q.ids) + a.codes.size for q, a in zip(questions, answers, strict=True)])
    for at in range(0, len(order), BATCH):
        rows = order[at : at + BATCH]
        asked = language.collate([questions[row] for row in rows], [answers[row] for row in rows]).to(device)
        read, keys = language.model.read(asked, asked.codes.shape[1])
        for place, row in enumerate(rows):
            one = slice(place, place + 1)
            alone = replace(asked, **{name: tensor[one] for name, tensor in vars(asked).items()})
            loss[row] = float(language.model.score(read[one], keys[one], alone))
        progress(len(rows))
    return loss
