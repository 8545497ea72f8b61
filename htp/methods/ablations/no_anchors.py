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

from htp.compute.random_streams import TOKENS, uniforms
from htp.language.batch import Answer, collate_questions
from htp.language.model import LanguageModel
from htp.language.sampling import Sampling, draw
from htp.methods.ablations.whole import HTP
from htp.methods.ablations.writing import BatchLanguage, Reader
from htp.methods.ablations.written import collate_written, read_written

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from htp.config import TokenizerConfig
    from htp.language.model import TokenBatch
    from htp.language.prompt import Question
    from htp.tokenizer.tokenizer import DecoderConditions, Patterns


class CodesModel(LanguageModel):
    """HTP's language model without its pointer to roads."""

    names_anchors = False

    def loss(self, asked: TokenBatch) -> Tensor:
        """Return the mean cross-entropy of codes, each among those of its layer."""
        h, ids, real = read_written(self, asked)
        total, layers = torch.zeros((), device=h.device), len(self.vocabulary.codebook_sizes)
        for layer in range(layers):
            here = real[:, layer::layers]
            codes = ids[:, layer::layers][here] - self.text_size - self.vocabulary.first_code(layer)
            logits = self.code_logits(h[:, layer::layers][here], layer).float()
            total = total + F.cross_entropy(logits, codes, reduction="sum")
        return total / real.sum()


class CodesLanguage(BatchLanguage):
    """Stage 2 that writes codes; the anchors of its answers are zeros that nobody reads."""

    model_type = CodesModel

    def collate(self, questions: Sequence[Question], answers: Sequence[Answer]) -> TokenBatch:
        """Return a padded batch of questions and the codes of their answers."""
        vocabulary, size = self.model.vocabulary, self.model.text_size
        first = np.array([size + vocabulary.first_code(layer) for layer in range(len(vocabulary.codebook_sizes))])
        return collate_written(questions, [(answer.codes + first).ravel() for answer in answers])

    def _write_batch(self, questions: list[Question], keys: NDArray[np.uint64], sampling: Sampling) -> list[Answer]:
        model, device = self.model, self.model.rows.small.weight.device
        layers = len(model.vocabulary.codebook_sizes)
        asked = collate_questions(questions, layers).to(device)
        reader = Reader(model.backbone, model.embed(asked.ids, asked.place), asked.mask)
        tokens = int(asked.patterns.max()) * layers
        draws = torch.from_numpy(uniforms(keys, TOKENS, tokens)).to(device)
        codes: list[Tensor] = []
        for token in range(tokens):
            layer = token % layers
            if token:
                reader.step(model.embed_code((token - 1) % layers, codes[-1]))
            codes.append(draw(model.code_logits(reader.last, layer).float(), draws[:, token], sampling))
        written = torch.stack(codes, dim=1).unflatten(1, (-1, layers)).cpu().numpy().astype(np.int16)
        counts = asked.patterns.tolist()
        return [Answer(np.zeros(n, np.int32), part[:n]) for part, n in zip(written, counts, strict=True)]


class NoAnchors(HTP):
    """Codes alone."""

    name = "no anchors"
    language_type = CodesLanguage

    def _tokenizer_config(self) -> TokenizerConfig:
        return replace(self.config.tokenizer, increments="normalised")

    def _to_trips(self, asked: gpd.GeoDataFrame, patterns: Patterns, drives: DecoderConditions) -> gpd.GeoDataFrame:
        return super()._to_trips(asked, patterns, drives).drop(columns="anchors")
