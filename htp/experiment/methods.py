"""Choose among the methods that can be compared: the paper's six baselines, HTP, its ablations and HTP+."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from htp.errors import InputError
from htp.experiment.layout import slug

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import geopandas as gpd

    from htp.city.network import City
    from htp.methods.baselines.train import Budget

OURS = "HTP"  # the first of the ablations' registry; the one that all are compared with
EVERYTHING = "all"


class Method(Protocol):
    """What a method answers; `htp.methods.baselines.protocol` says it in full."""

    config: Any
    trained: list[dict[str, Any]]  # stages

    def fit(
        self,
        trips: gpd.GeoDataFrame,
        city: City,
        budget: Budget | None = None,
        *,
        seed: int = 0,
        report: Callable[[dict[str, Any]], None] = print,
    ) -> Self:
        """Train on prepared trips until the budget is spent."""

    def generate(
        self, like: gpd.GeoDataFrame, *, seed: int = 0, progress: Callable[[int, int], None] | None = None
    ) -> gpd.GeoDataFrame:
        """Return a trip for each of the conditions of `like`."""

    def save(self, folder: Path) -> None:
        """Write itself into a folder."""

    @classmethod
    def load(cls, folder: Path, city: City, device: str = "cpu") -> Self:
        """Load what `save` wrote."""


@dataclass(frozen=True)
class MethodEntry:
    """A method by its name."""

    name: str  # in its registry
    group: str  # baselines or ablations
    place: int  # among all methods

    @property
    def made_by(self) -> type[Any]:
        """The method's class."""
        return groups()[self.group][self.name]

    @property
    def label(self) -> str:
        """What tables call it."""
        return self.made_by.__name__ if self.group == "baselines" else self.name

    def new(self, device: str) -> Method:
        """Return the untrained method in its size for small machines."""
        made_by = self.made_by
        method: Method = made_by(made_by.config_type.small(), device)
        return method


def groups() -> dict[str, Mapping[str, type[Any]]]:
    """Return the registries, each from name to class."""
    from htp.methods.ablations import VARIANTS  # noqa: PLC0415  both may bring torch, which reading results does without
    from htp.methods.baselines import BASELINES  # noqa: PLC0415

    return {"baselines": BASELINES, "ablations": VARIANTS}


def choose(methods: str) -> list[MethodEntry]:
    """Return the methods of a text such as `all`, `baselines` or `HTP,trajvae`, in the order of the tables.

    Names are compared without case and punctuation. `InputError` lists what there is where a name is unknown.
    """
    names = [(name, group) for group, registry in groups().items() for name in registry]
    entries = [MethodEntry(name, group, place) for place, (name, group) in enumerate(names)]
    chosen: set[str] = set()
    for word in methods.split(","):
        found = {e.name for e in entries if slug(word) == EVERYTHING or slug(word) in {slug(e.name), e.group}}
        if not found:
            listed = ", ".join([EVERYTHING, *groups(), *(entry.name for entry in entries)])
            raise InputError(f"--methods {word.strip()!r}: there is no such method; choose among {listed}.")
        chosen |= found
    return [entry for entry in entries if entry.name in chosen]
