"""HTP that decides itself when an answer ends, as the paper's does: the number of patterns is not enforced.

After each pattern the model writes <|p_end|> or goes on. The question still says how many points are asked for, and the
length token is still given; a trip gets as many points as its patterns and that token stand for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from htp.conditions import prompt_conditions_of
from htp.generate import as_patterns
from htp.language.batch import collate_questions
from htp.language.depth import DepthModel
from htp.language.sampling import Sampling, draw
from htp.methods.ablations.whole import HTP
from htp.methods.ablations.writing import BatchLanguage, PatternSampler, Reader
from htp.methods.baselines.protocol import COLUMNS
from htp.tokenizer.lengths import restore_length

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

    def loss(self, asked: TokenBatch) -> Tensor:
        """Return the mean cross-entropy of anchors, codes, and after each pattern of its end."""
        answer, keys = self.read(asked, asked.codes.shape[1] + 1)
        written = self.score(answer[:, :-1], keys, asked)
        number = torch.arange(1, answer.shape[1], device=answer.device)[None]  # of patterns written
        real, over = number <= asked.patterns[:, None], number == asked.patterns[:, None]
        ended = F.binary_cross_entropy_with_logits(self.end_logits(answer[:, 1:, 0])[real], over[real].float())
        return (written * answer.shape[2] + ended) / (answer.shape[2] + 1)

    def end_logits(self, h: Tensor) -> Tensor:
        """Return the logits [...] of <|p_end|> against all else, from states [..., hidden] after a pattern."""
        row = self.rows.small.weight[self.vocabulary.mark("<|p_end|>")]
        return (self._even(h).float() * row.float()).sum(dim=-1)


class FreeLengthSampler(PatternSampler):
    """Write patterns until the model says that it is over."""

    model: FreeLengthModel

    def __init__(
        self, model: FreeLengthModel, asked: TokenBatch, reader: Reader, keys: Tensor, sampling: Sampling
    ) -> None:
        super().__init__(model, asked, reader, keys, sampling)
        self.limit = asked.patterns * MOST
        self.most = int(self.limit.max())
        self.counts = torch.zeros_like(asked.patterns)

    def over(self, pattern: int, uniform: Tensor) -> bool:
        """Draw for each answer that goes on whether it ends before this pattern."""
        probability = torch.sigmoid(self.model.end_logits(self.reader.last) / max(self.sampling.temperature, 1e-6))
        ends = (uniform < probability) & (pattern >= FEWEST) | (pattern >= self.limit)
        self.counts = torch.where((self.counts == pattern) & ~ends, pattern + 1, self.counts)
        return not bool((self.counts > pattern).any())

    def _codes(self, embedded: Tensor, draws: Tensor) -> Tensor:
        """Draw a pattern's codes [B, L] by the depth network, then read the pattern as one token."""

        def choose(layer: int, state: Tensor) -> Tensor:
            return draw(self.model.code_logits(state, layer).float(), draws[:, layer], self.sampling)

        codes, whole = self.model.write(self.reader.last, embedded, choose)
        self.reader.step(whole)
        return torch.stack(codes, dim=1)


class FreeLengthLanguage(BatchLanguage):
    """Stage 2 that says how many patterns a trip has."""

    model_type = FreeLengthModel
    model: FreeLengthModel

    def _write_batch(self, questions: list[Question], keys: NDArray[np.uint64], sampling: Sampling) -> list[Answer]:
        model, device = self.model, self.model.rows.small.weight.device
        asked = collate_questions(questions, len(model.vocabulary.codebook_sizes)).to(device)
        reader = Reader(model.backbone, model.embed(asked.ids, asked.place), asked.mask)
        roads = model.road_keys(reader.h, asked.first_road_at, asked.road_mask.shape[1])
        writer = FreeLengthSampler(model, asked, reader, roads, sampling)
        return writer.write(keys)


class FreeLength(HTP):
    """Trips whose number of points is the model's own; their last pattern ends where the distance is driven."""

    name = "free length"
    language_type = FreeLengthLanguage

    def _draw(self, like: gpd.GeoDataFrame, drives: DecoderConditions, tell: Callable[[int], None]) -> gpd.GeoDataFrame:
        facts = prompt_conditions_of(like, self.city)
        answers = self.language.write(facts, self.city, drives.keys, Sampling(), tell)
        lengths = zip(answers, facts.length_tokens.tolist(), strict=True)
        points = np.array([restore_length(len(answer.anchors), token) for answer, token in lengths])
        return self._to_trips(like[COLUMNS], as_patterns(answers, points), drives)
