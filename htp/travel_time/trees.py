"""Keep gradient-boosted trees as flat arrays: what a booster has learned, without the library that it was learned by.

A file is plain safetensors, so it holds numbers and nothing that could run. It is read in a hundredth of a second;
scikit-learn's own objects, by skops, take three seconds of processor time and more where the library is not there yet.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from htp.errors import InputError
from htp.files import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from sklearn.ensemble import HistGradientBoostingRegressor

MOST_STEPS = 64  # from a root to a leaf; what scikit-learn grows with 15 leaves has 14 at most
MAX_BYTES = 64 << 20  # ours; the file of the city that ships has 0.4 MiB
AT_ONCE = 64  # rows that go down the trees together: what they touch fits in a processor's cache
TYPES = {"baseline": "f8", "roots": "i4", "feature": "i2", "number": "f8", "left": "i4", "right": "i4"}


@dataclass(frozen=True)
class BoostedTrees:
    """B boosters of T trees each; their nodes lie in one row, each tree's from its root on, children after parents.

    A leaf is its own left and right child.
    """

    baseline: NDArray[np.float64]  # [B] what the trees add to
    roots: NDArray[np.int32]  # [B, T]
    feature: NDArray[np.int16]  # [N] which feature decides
    number: NDArray[np.float64]  # [N] up to which value a row goes left; of a leaf, what it adds
    left: NDArray[np.int32]  # [N]
    right: NDArray[np.int32]  # [N]

    @classmethod
    def of(cls, boosters: Sequence[HistGradientBoostingRegressor]) -> Self:
        """Return what scikit-learn's boosters, trained on features that are neither missing nor categories, learned."""
        grown = [[tree.nodes for (tree,) in booster._predictors] for booster in boosters]  # noqa: SLF001  no public way
        nodes = np.concatenate([tree for trees in grown for tree in trees])
        sizes = np.array([[len(tree) for tree in trees] for trees in grown])
        roots = (np.cumsum(sizes) - sizes.ravel()).reshape(sizes.shape)
        first, own, leaf = np.repeat(roots.ravel(), sizes.ravel()), np.arange(len(nodes)), nodes["is_leaf"] == 1
        return cls(
            np.array([booster._baseline_prediction.item() for booster in boosters]),  # noqa: SLF001
            roots.astype(np.int32),
            nodes["feature_idx"].astype(np.int16),
            np.where(leaf, nodes["value"], nodes["num_threshold"]),
            np.where(leaf, own, first + nodes["left"]).astype(np.int32),
            np.where(leaf, own, first + nodes["right"]).astype(np.int32),
        )

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return what each booster predicts of rows of features [R, F], as [R, B]: the same as scikit-learn's."""
        pieces = (rows[at : at + AT_ONCE] for at in range(0, len(rows), AT_ONCE))
        return np.concatenate([np.empty((0, len(self.baseline))), *map(self._predict, pieces)])

    def _predict(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        row = np.arange(len(rows))[:, None]
        at = np.broadcast_to(self.roots.ravel(), (len(rows), self.roots.size))
        for _ in range(MOST_STEPS):
            below = np.where(rows[row, self.feature[at]] <= self.number[at], self.left[at], self.right[at])
            if np.array_equal(below, at):
                break
            at = below
        total = np.tile(self.baseline, (len(rows), 1))
        for added in np.moveaxis(self.number[at].reshape(len(rows), *self.roots.shape), 2, 0):  # in its order
            total += added
        return total

    def save(self, path: Path) -> None:
        """Write the trees; the file appears whole or not at all."""
        with replacing(path) as temporary:
            save_file(asdict(self), temporary)

    @classmethod
    def load(cls, path: Path, boosters: int, features: int) -> Self:
        """Read the trees of so many boosters over so many features.

        `InputError` where the file is damaged, too large, or its trees lead out of themselves.
        """
        damaged = InputError(f"{path}: the file is damaged; get the checkpoint again.")
        if path.stat().st_size > MAX_BYTES:
            raise damaged
        try:
            trees = cls(**load_file(path))
        except (SafetensorError, OSError, TypeError, ValueError) as error:
            raise damaged from error
        if not trees._is_whole(boosters, features):
            raise InputError(f"{path}: the file is damaged, its trees are not whole; get the checkpoint again.")
        return trees

    def _is_whole(self, boosters: int, features: int) -> bool:
        """Say whether all arrays are what they should be and every way down ends, within its nodes, at a leaf."""
        nodes = len(self.number)
        shapes = [self.baseline.shape == (boosters,), self.roots.ndim == 2, len(self.roots) == boosters]
        shapes += [array.shape == (nodes,) for array in (self.feature, self.number, self.left, self.right)]
        if not all(shapes) or any(getattr(self, name).dtype != np.dtype(of) for name, of in TYPES.items()):
            return False
        own = np.arange(nodes)
        leaf = (self.left == own) & (self.right == own)
        onward = (np.minimum(self.left, self.right) > own) & (np.maximum(self.left, self.right) < nodes)
        inside = (self.roots >= 0) & (self.roots < nodes)
        known = (self.feature >= 0) & (self.feature < features)
        told = np.isfinite(self.number).all() and np.isfinite(self.baseline).all()
        return bool((leaf | onward).all() and inside.all() and known.all() and told) and self._deepest() <= MOST_STEPS

    def _deepest(self) -> int:
        """Return how many steps lead from a root to the farthest leaf, or one more than there may be."""
        reached, steps = np.unique(self.roots), 0
        while steps <= MOST_STEPS:
            reached = reached[self.left[reached] != reached]
            if not len(reached):
                break
            reached, steps = np.unique(np.r_[self.left[reached], self.right[reached]]), steps + 1
        return steps
