"""Write answers by `transformers.generate` as it is: what our own loop is compared with.

The same backbone and weights under a head over the whole vocabulary (text, marks, codes and all roads), Hugging Face's
own loop with its key-value cache, and a logits processor that forbids what the grammar does. No token of a question is
read once for several trips, trips of all lengths run until the longest is done, and roads are known by their tokens
alone, so the trips are valid but not good. Only the built-in model can be put under such a head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, Qwen3Config, Qwen3ForCausalLM

from htp.language.batch import Answer, collate_questions

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from htp.city.network import City
    from htp.language.language import Language
    from htp.language.model import TokenBatch
    from htp.language.prompt import PromptConditions
    from htp.trip_source import Sampling


class PlainSampler:
    """A language model with `write` as `Language` has it, by `transformers.generate`."""

    def __init__(self, language: Language) -> None:
        """Copy the weights of a built-in model."""
        model = language.model
        self.language, self.device = language, model.rows.small.weight.device
        embedding = cast("nn.Embedding", model.backbone.get_input_embeddings()).weight
        rows = model.rows(torch.arange(len(model.vocabulary), device=self.device)).detach()
        config = Qwen3Config(**{**model.backbone.config.to_dict(), "tie_word_embeddings": True})
        config.vocab_size = model.text_size + len(rows)
        self.causal = Qwen3ForCausalLM(config).eval()
        self.causal.to(self.device)
        weights = model.backbone.state_dict() | {"embed_tokens.weight": torch.cat([embedding.detach(), rows])}
        self.causal.model.load_state_dict(weights)

    @torch.inference_mode()
    def generate(
        self,
        conditions: PromptConditions,
        city: City,
        keys: NDArray,
        sampling: Sampling,
        progress: Callable[[int], None] | None = None,
    ) -> list[Answer]:
        """Return the patterns of one trip for each of the facts, drawn by torch's own random numbers."""
        del sampling  # as they were learned
        torch.manual_seed(int(keys[0, 0]))
        layers = len(self.language.model.vocabulary.codebook_sizes)
        asked = collate_questions(self.language.ask(conditions, city), layers).to(self.device)
        grammar = Grammar(asked, self.language)
        tokens = asked.codes.shape[1] * (layers + 1)
        written = self.causal.generate(
            input_ids=asked.ids,
            attention_mask=asked.mask.long(),
            generation_config=GenerationConfig(
                do_sample=True, top_k=0, max_new_tokens=tokens, min_new_tokens=tokens, pad_token_id=0, use_cache=True
            ),
            logits_processor=LogitsProcessorList([grammar]),
        )[:, asked.ids.shape[1] :]
        if progress is not None:
            progress(len(written))
        return grammar.answers(written.unflatten(1, (-1, layers + 1)))


class Grammar(LogitsProcessor):
    """Forbid the tokens that may not come next: an anchor among the roads ahead, then a code of each layer."""

    def __init__(self, asked: TokenBatch, language: Language) -> None:
        self.asked, self.vocabulary = asked, language.model.vocabulary
        self.text_size, self.prompt = language.model.text_size, asked.ids.shape[1]
        self.rows = torch.arange(len(asked.ids), device=asked.ids.device)
        self.anchor = torch.zeros_like(self.rows)
        number = torch.arange(asked.road_mask.shape[1], device=asked.ids.device)
        places = (asked.first_road_at[:, None] + number).clamp_max(self.prompt - 1)
        self.roads, self.number = asked.ids.gather(1, places), number
        self.anchors: list[Tensor] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return the logits [B, V] with those of forbidden tokens at minus infinity."""
        layers = len(self.vocabulary.codebook_sizes)
        pattern, layer = divmod(input_ids.shape[1] - self.prompt, layers + 1)
        allowed = torch.full_like(scores, -torch.inf)
        if layer:
            first = self.text_size + self.vocabulary.first_code(layer - 1)
            codes = slice(first, first + self.vocabulary.codebook_sizes[layer - 1])
            allowed[:, codes] = scores[:, codes]
            if layer == 1:
                self._note(input_ids[:, -1])
            return allowed
        ahead = self.asked.road_mask & (self.number >= self.anchor[:, None])
        last = self.asked.road_mask.sum(dim=1)[:, None] - 1
        is_last = (pattern >= self.asked.patterns - 1)[:, None]
        ahead = torch.where(is_last, self.number == last, ahead)
        row, place = ahead.nonzero(as_tuple=True)
        tokens = self.roads[row, place]
        allowed[row, tokens] = scores[row, tokens]
        return allowed

    def answers(self, written: Tensor) -> list[Answer]:
        """Return the answers in tokens [B, P, 1 + L]."""
        sizes = range(len(self.vocabulary.codebook_sizes))
        first = torch.tensor([self.text_size + self.vocabulary.first_code(layer) for layer in sizes])
        codes = (written[..., 1:].cpu() - first).numpy().astype(np.int16)
        anchors = torch.stack(self.anchors, dim=1).cpu().numpy().astype(np.int32)
        return [Answer(anchors[row, :n], codes[row, :n]) for row, n in enumerate(self.asked.patterns.tolist())]

    def _note(self, tokens: Tensor) -> None:
        """Remember the place in its route of each road that was written; where one comes twice, the first ahead."""
        there = (self.roads == tokens[:, None]) & self.asked.road_mask & (self.number >= self.anchor[:, None])
        last = self.asked.road_mask.sum(dim=1) - 1
        is_last = len(self.anchors) >= self.asked.patterns - 1
        self.anchor = torch.where(is_last, last, there.int().argmax(dim=1))
        self.anchors.append(self.anchor)
