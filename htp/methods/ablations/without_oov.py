"""HTP without new tokens: roads, patterns and the length are written as text of the base vocabulary (paper §5.3).

    Roads: 00007 00009 …. Main roads: A, B. Tuesday 08:15, 12 min 15 s, 6.02 km, every 15 s, 50 points. Type 5.
    r 00009 a 03 b 17 c 099 d 004 r 00012 …

The grammar is as strict as HTP's: as many patterns as the points ask for, anchors only forward along the route.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htp.language.backbone import built_in, built_in_tokenizer, encode_texts
from htp.language.batch import Answer, collate_questions
from htp.language.language import Language
from htp.language.prompt import PromptConditions, Question, question_texts
from htp.language.vocabulary import LAYERS, Vocabulary
from htp.methods.ablations.text_model import Grammar, PlainTextModel, Tree, collate_written, tree_of, write_text
from htp.methods.ablations.whole import HTP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor
    from transformers import PreTrainedTokenizerFast

    from htp.city.network import City
    from htp.config import LanguageConfig
    from htp.language.model import LanguageModel, TokenBatch
    from htp.trip_source import Sampling

ROAD = "r"  # the word before an anchor; a code's is its layer's letter
OFTEN = 1000  # times that the text tokenizer sees these words, so that each is one piece


@dataclass(frozen=True)
class TextQuestion(Question):
    """A question in text alone."""

    roads: tuple[str, ...]  # each road of the route as it is written


class TextLanguage(Language):
    """Stage 2 in the base vocabulary."""

    model_type = PlainTextModel
    model: PlainTextModel

    def __init__(self, model: LanguageModel, tokenizer: PreTrainedTokenizerFast, base: str | None = None) -> None:
        super().__init__(model, tokenizer, base)
        self.known: dict[str, list[int]] = {}  # ids of texts that were written before
        sizes = self.model.vocabulary.codebook_sizes
        self.trees = [
            tree_of((code, self.ids_of(_code(layer, code, size))) for code in range(size))
            for layer, size in enumerate(sizes)
        ]

    @classmethod
    def new(
        cls,
        config: LanguageConfig,
        vocabulary: Vocabulary,
        road_features: Tensor,  # noqa: ARG003  there are no road tokens
        conditions: PromptConditions,
        city: City,
    ) -> TextLanguage:
        """Make an untrained built-in model; its text tokenizer is learned from the questions of `conditions`."""
        words = [f" {word}" for word in (ROAD, *LAYERS[: len(vocabulary.codebook_sizes)])]
        tokenizer = built_in_tokenizer([*question_texts(conditions, city), *words * OFTEN], config.text_vocabulary)
        without = Vocabulary(vocabulary.codebook_sizes, 0)
        return cls(PlainTextModel(built_in(config, len(tokenizer)), without, len(tokenizer)), tokenizer)

    def ids_of(self, text: str) -> list[int]:
        """Return the text ids of a piece of an answer."""
        if text not in self.known:
            self.known[text] = encode_texts(self.tokenizer, [text])[0]
        return self.known[text]

    def ask(self, conditions: PromptConditions, city: City) -> list[Question]:
        """Return the questions of trips."""
        width, questions = len(str(len(city) - 1)), []
        roads = [tuple(f"{road:0{width}d}" for road in route) for route in conditions.roads]
        words = zip(roads, question_texts(conditions, city), conditions.length_tokens, strict=True)
        texts = [f"Roads: {' '.join(route)}. {text} Type {token}." for route, text, token in words]
        for row, ids in enumerate(encode_texts(self.tokenizer, texts)):
            end_m = np.array([city.length_m[conditions.roads[row]].sum()], dtype=np.float32)
            batch = float(conditions.distance_m[row]), int(conditions.points[row])
            questions.append(TextQuestion(np.array(ids, np.int32), np.zeros(1, np.float32), end_m, *batch, roads[row]))
        return questions  # type: ignore[return-value]  # a list of a subclass

    def collate(self, questions: Sequence[Question], answers: Sequence[Answer]) -> TokenBatch:
        """Return a padded batch of questions and answers."""
        return collate_written(questions, [self._written(q, a) for q, a in zip(questions, answers, strict=True)])

    def sample_batch(self, questions: list[Question], keys: NDArray[np.uint64], sampling: Sampling) -> list[Answer]:
        """Return the answers to questions of like length."""
        device = self.model.rows.small.weight.device
        batch = collate_questions(questions, layers=1).to(device)
        return write_text(self.model, batch, [self._grammar(question) for question in questions], keys, sampling)

    def _written(self, question: Question, answer: Answer) -> NDArray[np.int64]:
        """Return the text ids of an answer."""
        assert isinstance(question, TextQuestion)
        sizes, ids = self.model.vocabulary.codebook_sizes, []
        for anchor, codes in zip(answer.anchors, answer.codes.tolist(), strict=True):
            ids += self.ids_of(_anchor(question.roads[anchor]))
            for layer, code in enumerate(codes):
                ids += self.ids_of(_code(layer, code, sizes[layer]))
        return np.array(ids, dtype=np.int64)

    def _grammar(self, question: Question) -> Grammar:
        """Write anchor and codes of each pattern; the last anchor is the last road."""
        assert isinstance(question, TextQuestion)
        patterns, last, before = -(-question.points // 8), len(question.roads) - 1, 0
        anchors, codes = [], []
        for pattern in range(patterns):
            before = yield self._ahead(question, last if pattern == patterns - 1 else before)
            anchors.append(before)
            for tree in self.trees:
                code = yield tree
                codes.append(code)
        shape = (patterns, len(self.trees))
        return Answer(np.array(anchors, np.int32), np.array(codes, np.int16).reshape(shape))

    def _ahead(self, question: TextQuestion, before: int) -> Tree:
        """Return the roads that an anchor may be; one that is driven twice means its next time."""
        places: dict[str, int] = {}
        for place in range(before, len(question.roads)):
            places.setdefault(question.roads[place], place)
        return tree_of((place, self.ids_of(_anchor(road))) for road, place in places.items())


class WithoutOOV(HTP):
    """The base vocabulary alone."""

    name = "w/o OOV"
    language_type = TextLanguage


def _anchor(road: str) -> str:
    return f" {ROAD} {road}"


def _code(layer: int, code: int, size: int) -> str:
    return f" {LAYERS[layer]} {code:0{len(str(size - 1))}d}"
