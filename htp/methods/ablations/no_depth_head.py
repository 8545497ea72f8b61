"""HTP as the paper has it: the transformer reads and writes every code as a token of its own, five steps a pattern."""

from __future__ import annotations

from htp.language.language import Language
from htp.language.model import LanguageModel
from htp.methods.ablations.whole import HTP


class TokenLanguage(Language):
    """Stage 2 without a depth network."""

    model_type = LanguageModel


class NoDepthHead(HTP):
    """A step of the transformer a token."""

    name = "no depth head"
    language_type = TokenLanguage
