"""HTP that decides itself when an answer ends, as the paper's does: the number of patterns is not enforced.

After each pattern the model writes <|p_end|> or goes on. The question still says how many points are asked for, and the
length token is still given; a trip gets as many points as its patterns and that token stand for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from htp.compute.random_streams import TOKENS, uniforms
from htp.conditions import prompt_conditions_of
from htp.generate import as_patterns
from htp.language.batch import collate_questions
from htp.language.depth import DepthModel
from htp.language.language import Language
from htp.language.sampling import COLDEST, DepthSampler, sampled_answers
from htp.methods.ablations.whole import HTP
from htp.methods.protocol import COLUMNS
from htp.tokenizer.lengths import restore_length
from htp.trip_source import Sampling

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.language.batch import Answer
    from htp.language.model import TokenBatch
    from htp.language.prompt import Question
    from htp.tokenizer.tokenizer import DecoderConditions

FEWEST = 2  # patterns; one alone may stand for a single point, which is no trip; ours
MOST = 2  # times the patterns asked for, where an answer that does not end is cut; ours


class FreeLengthModel(DepthModel):
    """HTP's language model, which also predicts the token <|p_end|>; it has no further weights."""

    def loss(self, batch: TokenBatch) -> Tensor:
        """Return the mean cross-entropy of anchors, codes, and after each pattern of its end."""
        answer, keys = self.read(batch, batch.codes.shape[1] + 1)
        written = self.score(answer[:, :-1], keys, batch)
        number = torch.arange(1, answer.shape[1], device=answer.device)[None]  # of patterns written
        real, over = number <= batch.patterns[:, None], number == batch.patterns[:, None]
        ended = F.binary_cross_entropy_with_logits(self.end_logits(answer[:, 1:, 0])[real], over[real].float())
        return (written * answer.shape[2] + ended) / (answer.shape[2] + 1)

    def end_logits(self, h: Tensor) -> Tensor:
        """Return the logits [...] of <|p_end|> against all else, from states [..., hidden] after a pattern."""
        row = self.rows.small.weight[self.vocabulary.mark("<|p_end|>")]
        return (self._even(h).float() * row.float()).sum(dim=-1)


class FreeLengthSampler(DepthSampler):
    """Write patterns until the model says that it is over."""

    model: FreeLengthModel

    def sample(self, keys: NDArray[np.uint64]) -> list[Answer]:
        """Return the answers drawn from the streams of `keys` [B, 2]; none leaves before all are over."""
        most, layers = self.batch.codes.shape[1:]
        numbers = layers + 2  # of a pattern: its anchor, its codes, and whether the answer ends before it
        uniform = torch.from_numpy(uniforms(keys, TOKENS, most * numbers)).to(self.batch.ids.device)
        counts, before = torch.zeros_like(self.batch.patterns), torch.zeros_like(self.batch.patterns)
        for pattern in range(most):
            draws = uniform[:, pattern * numbers : (pattern + 1) * numbers]
            goes_on = (counts == pattern) & ~self.ends(pattern, draws[:, -1])
            if not bool(goes_on.any()):
                break
            counts = counts + goes_on
            before = self.anchor(before, pattern, draws[:, 0])
            self.codes(before, pattern, draws[:, 1:-1], go_on=True)
        return sampled_answers(self.batch, counts.tolist())

    def ends(self, pattern: int, uniform: Tensor) -> Tensor:
        """Draw for each answer whether it ends before this pattern, [B]."""
        probability = torch.sigmoid(self.model.end_logits(self.last) / max(self.sampling.temperature, COLDEST))
        return (uniform < probability) & (pattern >= FEWEST) | (pattern >= MOST * self.batch.patterns)


class FreeLengthLanguage(Language):
    """Stage 2 that says how many patterns a trip has."""

    model_type = FreeLengthModel
    model: FreeLengthModel

    def sample_batch(self, questions: list[Question], keys: NDArray[np.uint64], sampling: Sampling) -> list[Answer]:
        """Return the answers to questions of like length."""
        batch = collate_questions(questions, len(self.model.vocabulary.codebook_sizes))
        room = {name: getattr(batch, name).repeat_interleave(MOST, dim=1) for name in ("anchors", "codes")}
        batch = replace(batch, **room).to(self.model.rows.small.weight.device)
        return FreeLengthSampler(self.model, batch, sampling).sample(keys)


class FreeLength(HTP):
    """Trips whose number of points is the model's own; their last pattern ends where the distance is driven."""

    name = "free length"
    language_type = FreeLengthLanguage

    def _draw(self, like: gpd.GeoDataFrame, drives: DecoderConditions, tell: Callable[[int], None]) -> gpd.GeoDataFrame:
        conditions = prompt_conditions_of(like, self.city)
        answers = self.language.generate(conditions, self.city, drives.keys, Sampling(), tell)
        lengths = zip(answers, conditions.length_tokens.tolist(), strict=True)
        points = np.array([restore_length(len(answer.anchors), token) for answer, token in lengths])
        return self._to_trips(like[COLUMNS], as_patterns(answers, points), drives)
