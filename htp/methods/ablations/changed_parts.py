"""Take back, one at a time, what we changed in the paper's tokenizer, three of its settings, and in its model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torch import nn

from htp.language.backbone import built_in, built_in_tokenizer
from htp.language.language import Language
from htp.language.model import LanguageModel
from htp.language.prompt import question_texts
from htp.methods.ablations.whole import HTP
from htp.train import vocabulary_of

if TYPE_CHECKING:
    from htp.config import TokenizerConfig
    from htp.language.prompt import PromptConditions

ROW_STD = 0.02  # as the rows of the other new tokens start


class WithRegressedSteps(HTP):
    """Regress each pattern's shares of its way instead of drawing steps from a learned density."""

    name = "regressed steps"

    def _tokenizer_config(self) -> TokenizerConfig:
        return replace(self.config.tokenizer, increments="anchored")


class WithRegressedOffsets(HTP):
    """Regress offsets to their mean as well (equation 11); it is to be compared with regressed steps."""

    name = "regressed offsets"

    def _tokenizer_config(self) -> TokenizerConfig:
        return replace(self.config.tokenizer, increments="anchored", offset_noise=False)


class WithFreeIncrements(HTP):
    """Regress increments freely (equation 10): they may run backwards or beyond the route.

    Anchors are still written, as they are for HTP; a decoder of this kind has no use for them.
    """

    name = "free increments"

    def _tokenizer_config(self) -> TokenizerConfig:
        return replace(self.config.tokenizer, increments="free")


class WithAbsoluteInput(HTP):
    """Show the encoder normalised coordinates (equation 1) instead of movement in the frame of the road."""

    name = "absolute input"

    def _tokenizer_config(self) -> TokenizerConfig:
        return replace(self.config.tokenizer, inputs="absolute")


class PlainRoadTokens(HTP):
    """Start the road tokens' rows at random, as new tokens are in the paper, not from node2vec and geometry.

    A road is a number: a road without a training trip keeps the row that chance gave it.
    """

    name = "plain road tokens"

    def _new_language(self, conditions: PromptConditions) -> Language:
        text = built_in_tokenizer(question_texts(conditions, self.city), self.config.language.text_vocabulary)
        backbone = built_in(self.config.language, len(text))
        model = Language.model_type(backbone, vocabulary_of(self.tokenizer), len(text))
        assert model.rows.roads is not None
        nn.init.normal_(model.rows.roads.weight, std=ROW_STD)
        return Language(model, text)


class TokenLanguage(Language):
    """Stage 2 without a depth network."""

    model_type = LanguageModel


class NoDepthHead(HTP):
    """Let the transformer read and write every code as a token of its own, as in the paper: five steps a pattern."""

    name = "no depth head"
    language_type = TokenLanguage
