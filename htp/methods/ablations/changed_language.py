"""Take back, one at a time, two things that we changed in the paper's language model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from htp.language.backbone import built_in, built_in_tokenizer
from htp.language.language import Language
from htp.language.model import LanguageModel
from htp.language.prompt import question_texts
from htp.methods.ablations.whole import HTP
from htp.train import vocabulary_of

if TYPE_CHECKING:
    from htp.language.prompt import PromptConditions

ROW_STD = 0.02  # as the rows of the other new tokens start


class PlainRoadTokens(HTP):
    """Start the road tokens' rows at random, as new tokens are in the paper, not from node2vec and geometry.

    A road is a number: a road without a training trip keeps the row that chance gave it.
    """

    name = "plain road tokens"

    def _new_language(self, facts: PromptConditions) -> Language:
        text = built_in_tokenizer(question_texts(facts, self.city), self.config.language.text_vocabulary)
        backbone = built_in(self.config.language, len(text))
        model = Language.model_type(backbone, vocabulary_of(self.tokenizer), len(text))
        nn.init.normal_(model.rows.roads.weight, std=ROW_STD)
        return Language(model, text)


class TokenLanguage(Language):
    """Stage 2 without a depth network."""

    model_type = LanguageModel


class NoDepthHead(HTP):
    """Let the transformer read and write every code as a token of its own, as in the paper: five steps a pattern."""

    name = "no depth head"
    language_type = TokenLanguage
