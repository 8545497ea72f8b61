"""Name the methods that can be compared, and choose among them: the paper's six baselines, HTP, its ablations and HTP+.

    method = METHODS["difftraj"].new("cpu").fit(train, city, Budget(seconds=600), seed=0)
    trips = method.generate(heldout, seed=0)

Torch comes with a method's class, so names are known without it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from htp.errors import InputError

if TYPE_CHECKING:
    from htp.methods.protocol import Method

OURS = "HTP"  # the one that all are compared with
EVERYTHING = "all"
REFERENCES = {  # what no model of movement reaches already
    "constant speed": "no_model.ConstantSpeed",
    "speed limits": "no_model.SpeedLimits",
}
BASELINES = {  # name to module and class, in the paper's order
    "trajgan": "trajgan.TrajGAN",
    "trajvae": "trajvae.TrajVAE",
    "diffwave": "diffwave.DiffWave",
    "difftraj": "difftraj.DiffTraj",
    "controltraj": "controltraj.ControlTraj",
    "cardiff": "cardiff.Cardiff",
}
ABLATIONS = {
    OURS: "whole.HTP",
    "w/o RQ-VAE": "without_rqvae.WithoutRQVAE",
    "w/o R-Loss": "without_rloss.WithoutRLoss",
    "w/o OOV": "without_oov.WithoutOOV",
    "w/o LLM": "without_llm.WithoutLLM",
    "regressed steps": "changed_parts.WithRegressedSteps",
    "regressed offsets": "changed_parts.WithRegressedOffsets",
    "free increments": "changed_parts.WithFreeIncrements",
    "absolute input": "changed_parts.WithAbsoluteInput",
    "plain road tokens": "changed_parts.PlainRoadTokens",
    "no anchors": "no_anchors.NoAnchors",
    "free length": "free_length.FreeLength",
    "no depth head": "changed_parts.NoDepthHead",
    "HTP+": "plus.HTPPlus",
    "HTP+ told nothing": "plus.ToldNothing",
}
GROUPS = {"references": REFERENCES, "baselines": BASELINES, "ablations": ABLATIONS}


@dataclass(frozen=True)
class MethodEntry:
    """A method by its name."""

    name: str
    group: str  # references, baselines or ablations
    path: str  # module and class within the group
    place: int  # among all methods, in the order of the tables

    @property
    def made_by(self) -> type[Method[Any]]:
        """The method's class."""
        module, _, made_by = self.path.rpartition(".")
        return getattr(import_module(f"htp.methods.{self.group}.{module}"), made_by)

    @property
    def label(self) -> str:
        """What tables call it."""
        return self.made_by.__name__ if self.group == "baselines" else self.name

    def new(self, device: str) -> Method[Any]:
        """Return the untrained method in its size for small machines."""
        return self.made_by(self.made_by.config_type.small(), device)


METHODS = {
    name: MethodEntry(name, group, path, place)
    for place, (group, name, path) in enumerate(
        (group, name, path) for group, paths in GROUPS.items() for name, path in paths.items()
    )
}


def choose(methods: str) -> list[MethodEntry]:
    """Return the methods of a text such as `all`, `baselines` or `HTP,trajvae`, in the order of the tables.

    Names are compared without case and punctuation. `InputError` lists what there is where a name is unknown.
    """
    entries, chosen = list(METHODS.values()), set()
    for word in methods.split(","):
        found = {e.name for e in entries if slug(word) == EVERYTHING or slug(word) in {slug(e.name), e.group}}
        if not found:
            listed = ", ".join([EVERYTHING, *GROUPS, *METHODS])
            raise InputError(f"--methods {word.strip()!r}: there is no such method; choose among {listed}.")
        chosen |= found
    return [entry for entry in entries if entry.name in chosen]


def slug(name: str) -> str:
    """Return a name in small letters, digits, + and -; HTP and HTP+ stay apart."""
    return re.sub(r"[^a-z0-9+]+", "-", name.lower()).strip("-")
