"""Take back, one at a time, what we changed in the paper's tokenizer: three of its settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from htp.methods.ablations.whole import HTP

if TYPE_CHECKING:
    from htp.config import TokenizerConfig


class WithRegressedOffsets(HTP):
    """Regress offsets to their mean (equation 11) instead of drawing them from a learned density."""

    name = "regressed offsets"

    def _tokenizer_config(self) -> TokenizerConfig:
        return replace(self.config.tokenizer, offset_noise=False)


class WithFreeIncrements(HTP):
    """Regress increments (equation 10) instead of sharing the distance: they may run backwards or beyond the route.

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
