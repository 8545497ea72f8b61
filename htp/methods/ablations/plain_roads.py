"""Start the road tokens' rows at random, as new tokens are in the paper, instead of from node2vec and geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from htp.language.backbone import built_in, built_in_tokenizer
from htp.language.language import Language
from htp.language.prompt import question_texts
from htp.methods.ablations.whole import HTP

if TYPE_CHECKING:
    from htp.language.prompt import PromptConditions

ROW_STD = 0.02  # as the rows of the other new tokens start


class PlainRoadTokens(HTP):
    """A road is a number: a road without a training trip keeps the row that chance gave it."""

    name = "plain road tokens"

    def _new_language(self, facts: PromptConditions) -> Language:
        text = built_in_tokenizer(question_texts(facts, self.city), self.config.language.text_vocabulary)
        model = Language.model_type(built_in(self.config.language, len(text)), self._vocabulary(), len(text))
        nn.init.normal_(model.rows.roads.weight, std=ROW_STD)
        return Language(model, text)
