"""HTP without its language model: a plain transformer told the conditions by a frozen sentence encoder (paper §5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htp.methods.ablations.sentence_model import SentenceLanguage
from htp.methods.ablations.sentences import SentenceEncoder
from htp.methods.ablations.whole import HTP

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

    from htp.methods.ablations.stages import Stages


class WithoutLLM(HTP):
    """A transformer over patterns alone. Needs the package of the sentence encoder."""

    name = "w/o LLM"
    language_type = SentenceLanguage

    def _train(self, trips: gpd.GeoDataFrame, stages: Stages, work: Path) -> None:
        SentenceEncoder.find()  # say what is missing before a third of the time is spent
        super()._train(trips, stages, work)
