"""HTP, HTP+, and what becomes of HTP when one thing is taken away: the paper's four ablations and ours (paper §5.3).

`VARIANTS` maps the name of a method to its class and brings in torch only when a class is taken from it. They answer
the same calls as the baselines:

    method = VARIANTS["w/o R-Loss"]().fit(train, city, Budget(seconds=600), seed=0)
    trips = method.generate(heldout, seed=0)

Each is a class of its own that says what it changes; the main path knows nothing of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from htp.methods.ablations.variant import Variant

_CLASSES = {
    "HTP": ("whole", "HTP"),
    "w/o RQ-VAE": ("without_rqvae", "WithoutRQVAE"),
    "w/o R-Loss": ("without_rloss", "WithoutRLoss"),
    "w/o OOV": ("without_oov", "WithoutOOV"),
    "w/o LLM": ("without_llm", "WithoutLLM"),
    "regressed offsets": ("changed_tokenizer", "RegressedOffsets"),
    "free increments": ("changed_tokenizer", "FreeIncrements"),
    "absolute input": ("changed_tokenizer", "AbsoluteInput"),
    "plain road tokens": ("plain_roads", "PlainRoadTokens"),
    "no anchors": ("no_anchors", "NoAnchors"),
    "free length": ("free_length", "FreeLength"),
    "no depth head": ("no_depth_head", "NoDepthHead"),
    "HTP+": ("plus", "HTPPlus"),
    "HTP+ told nothing": ("plus", "ToldNothing"),
}


class _Registry(Mapping[str, "type[Variant]"]):
    """Names of methods to their classes, imported when they are asked for; HTP itself is the first."""

    def __getitem__(self, name: str) -> type[Variant]:
        module, made_by = _CLASSES[name]
        return getattr(import_module(f"{__name__}.{module}"), made_by)

    def __iter__(self) -> Iterator[str]:
        return iter(_CLASSES)

    def __len__(self) -> int:
        return len(_CLASSES)


VARIANTS: Mapping[str, type[Variant]] = _Registry()

__all__ = ["VARIANTS"]
