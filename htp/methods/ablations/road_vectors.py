"""Keep the node2vec embedding of a city's roads, which HTP and each ablation start from, and the time that it took.

It depends on the roads, the dimension and the seed alone, so one computation serves all methods of an experiment. Each
of them is charged the seconds that it took, as if it had computed the embedding itself.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from htp.files import replacing
from htp.tokenizer.roads import WALK_STEPS, WALKS, node2vec

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from htp.city.network import City

VECTORS, SECONDS = "vectors", "seconds"


@dataclass(frozen=True)
class RoadVectors:
    """An embedding of roads."""

    vectors: Tensor  # [V, dim] float16
    seconds: float  # that computing it took
    shared: bool  # computed by an earlier training


def road_vectors(city: City, dim: int, seed: int, folder: Path | None) -> RoadVectors:
    """Return the embedding that lies in the folder, or compute it and keep it there (None: nowhere)."""
    path = None if folder is None else folder / f"node2vec-{_fingerprint(city, dim, seed)}.safetensors"
    found = None if path is None else _read(path)
    if found is not None:
        return found
    started = time.monotonic()
    vectors = torch.from_numpy(node2vec(city, dim, seed))
    seconds = round(time.monotonic() - started, 3)
    if path is not None:
        with replacing(path) as temporary:
            save_file({VECTORS: vectors}, temporary, metadata={SECONDS: str(seconds)})
    return RoadVectors(vectors, seconds, shared=False)


def _read(path: Path) -> RoadVectors | None:
    """Return what a file holds; None where it is missing or damaged, so that it is made again."""
    try:
        with safe_open(path, framework="pt") as file:
            return RoadVectors(file.get_tensor(VECTORS), float(file.metadata()[SECONDS]), shared=True)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return None


def _fingerprint(city: City, dim: int, seed: int) -> str:
    """Return 16 hexadecimal digits of all that the walks depend on: which road follows which, and the settings."""
    links = city.successors
    digest = hashlib.sha256(repr((len(city), dim, seed, WALKS, WALK_STEPS)).encode())
    digest.update(links.indptr.tobytes())
    digest.update(links.indices.tobytes())
    return digest.hexdigest()[:16]
