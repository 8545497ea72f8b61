"""Draw the codes of true trips anew, as the language model would write them: what a decoder is to get along with.

Trained on codes of the encoder alone, a decoder believes that each says to the metre what the car did. Codes that the
language model writes do not: one pattern leaves off where the next does not begin, or goes farther than its anchor, and
the car jolts. So the decoder is shown true movement beside codes of which some are the language model's (ours).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch

from htp.errors import InputError
from htp.language.depth import DepthModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from htp.language.language import Language
    from htp.language.train import QuestionsAndAnswers


@dataclass(frozen=True)
class Redrawn:
    """The codes of trips, of which some patterns' are what the language model would have written there."""

    language: Language
    pairs: QuestionsAndAnswers
    share: float  # of the trips that are touched; of their patterns any share is, as likely as another

    def __post_init__(self) -> None:
        """Refuse a language model that writes patterns token by token."""
        if not isinstance(self.language.model, DepthModel):
            raise InputError("codes can be drawn anew by a language model with a depth network alone, not by this one.")

    @torch.inference_mode()
    def __call__(self, rows: NDArray[np.int64], codes: Tensor) -> Tensor:
        """Return `codes` [B, P, L] of the trips `rows` with some patterns drawn anew, by torch's random numbers."""
        model = cast("DepthModel", self.language.model.eval())
        touched = torch.rand(len(rows), 1) < self.share
        anew = (touched & (torch.rand(codes.shape[:2]) < torch.rand(len(rows), 1))).to(codes.device)
        some = torch.nonzero(touched[:, 0])[:, 0]
        if not len(some):
            return codes
        asked = self.pairs.collate(self.language, rows[some.numpy()], codes.device)
        drawn = codes.clone()
        found = model.redraw(asked)
        drawn[some, : found.shape[1]] = found
        return torch.where(anew[..., None], drawn, codes)
