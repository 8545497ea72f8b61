"""HTP whose patterns do not name the road they end on: an answer is codes alone, as in the paper.

The decoder shares the travelled distance among the patterns (`increments="normalised"`), so errors add up along a trip.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from htp.language.batch import collate_questions
from htp.language.language import Language
from htp.language.model import LanguageModel
from htp.language.sampling import Sampler
from htp.methods.ablations.text_model import collate_written, read_written
from htp.methods.ablations.whole import HTP

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.config import TokenizerConfig
    from htp.language.batch import Answer
    from htp.language.model import TokenBatch
    from htp.language.prompt import Question
    from htp.tokenizer.tokenizer import DecoderConditions, Patterns
    from htp.trip_source import Sampling


class CodesModel(LanguageModel):
    """HTP's language model without its pointer to roads."""

    names_anchors = False

    def loss(self, batch: TokenBatch) -> Tensor:
        """Return the mean cross-entropy of codes, each among those of its layer."""
        h, ids, real = read_written(self, batch)
        total, layers = torch.zeros((), device=h.device), len(self.vocabulary.codebook_sizes)
        for layer in range(layers):
            here = real[:, layer::layers]
            codes = ids[:, layer::layers][here] - self.text_size - self.vocabulary.first_code(layer)
            logits = self.code_logits(h[:, layer::layers][here], layer).float()
            total = total + F.cross_entropy(logits, codes, reduction="sum")
        return total / real.sum()


class CodesSampler(Sampler):
    """Write codes one after another."""

    @staticmethod
    def steps(layers: int) -> int:
        """Return how often the backbone runs to write a pattern."""
        return layers

    def anchor(self, before: Tensor, pattern: int, uniform: Tensor) -> Tensor:  # noqa: ARG002  none is drawn
        """Return the anchors as they are: zeros."""
        return before

    def codes(self, before: Tensor, pattern: int, uniform: Tensor, *, go_on: bool) -> None:  # noqa: ARG002
        """Draw the codes of a pattern and read them, the last one only where the answer is to `go_on`."""
        for layer in range(uniform.shape[1]):
            code = self.code(layer, uniform[:, layer])
            self.batch.codes[:, pattern, layer] = code
            if go_on or layer + 1 < uniform.shape[1]:
                self.last = self.kv_cache.step(self.model.embed_code(layer, code))


class CodesLanguage(Language):
    """Stage 2 that writes codes; the anchors of its answers are zeros that nobody reads."""

    model_type = CodesModel

    def collate(self, questions: Sequence[Question], answers: Sequence[Answer]) -> TokenBatch:
        """Return a padded batch of questions and the codes of their answers."""
        vocabulary, size = self.model.vocabulary, self.model.text_size
        first = np.array([size + vocabulary.first_code(layer) for layer in range(len(vocabulary.codebook_sizes))])
        return collate_written(questions, [(answer.codes + first).ravel() for answer in answers])

    def sample_batch(self, questions: list[Question], keys: NDArray[np.uint64], sampling: Sampling) -> list[Answer]:
        """Return the answers to questions in order of their lengths."""
        batch = collate_questions(questions, len(self.model.vocabulary.codebook_sizes))
        return CodesSampler(self.model, batch.to(self.model.rows.small.weight.device), sampling).sample(keys)


class NoAnchors(HTP):
    """Codes alone."""

    name = "no anchors"
    language_type = CodesLanguage

    def _tokenizer_config(self) -> TokenizerConfig:
        return replace(self.config.tokenizer, increments="normalised")

    def _to_trips(self, asked: gpd.GeoDataFrame, patterns: Patterns, drives: DecoderConditions) -> gpd.GeoDataFrame:
        return super()._to_trips(asked, patterns, drives).drop(columns="anchors")
