"""Six generators that HTP is compared with, behind one small interface: fit, generate, save, load (paper A.3).

`BASELINES` maps the name of a method to its class and brings in torch only when a class is taken from it:

    baseline = BASELINES["difftraj"](DiffTrajConfig.small()).fit(train, city, Budget(seconds=600), seed=0)
    trips = baseline.generate(heldout, seed=0)

Each file says what is published, what is left open by its source and so ours, and what deviates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from htp.methods.baselines.protocol import Baseline

_CLASSES = {
    "trajgan": "TrajGAN",
    "trajvae": "TrajVAE",
    "diffwave": "DiffWave",
    "difftraj": "DiffTraj",
    "controltraj": "ControlTraj",
    "cardiff": "Cardiff",
}


class _Registry(Mapping[str, "type[Baseline]"]):
    """Names of methods, in the paper's order, to their classes, imported when they are asked for."""

    def __getitem__(self, name: str) -> type[Baseline]:
        return getattr(import_module(f"{__name__}.{name}"), _CLASSES[name])

    def __iter__(self) -> Iterator[str]:
        return iter(_CLASSES)

    def __len__(self) -> int:
        return len(_CLASSES)


BASELINES: Mapping[str, type[Baseline]] = _Registry()

__all__ = ["BASELINES"]
