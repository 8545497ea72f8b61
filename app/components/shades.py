"""Give counts, differences and hits a shade, and shades a colour and a legend; safe for colour-blind people."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from htp.evaluate.density import EXTRA, HIT, MISSED
from htp_app.components.charts import GENERATED, REAL
from htp_app.state import LOG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FULL = 255  # the greatest shade, as in frontend/src/style.js
VIRIDIS = ("#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725")
HIT_COLOUR = "#8a5fbf"
KINDS = {HIT: (HIT_COLOUR, "In both"), MISSED: (REAL, "Only held-out"), EXTRA: (GENERATED, "Only generated")}


class Ramps(NamedTuple):
    """The colours of a theme, from the least shade to the greatest."""

    counts: tuple[str, ...]
    differences: tuple[str, ...]
    kinds: tuple[str, ...] = (HIT_COLOUR, REAL, GENERATED)  # in the order of KINDS


LIGHT = Ramps(VIRIDIS[::-1], ("#a34a00", REAL, "#f0c99b", "#f4f4f4", "#9fd3e0", GENERATED, "#075a72"))
DARK = Ramps(VIRIDIS, ("#ffb25e", REAL, "#7d5426", "#2b323c", "#235f70", GENERATED, "#6fdcf5"))


def ramps() -> Ramps:
    """Return the colours of the theme on the screen: much stands out from the background, little does not."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def count_shades(counts: NDArray[np.int64], most: int, scale: str) -> NDArray[np.uint8]:
    """Return shades from 0 (no points) to the greatest (`most` points)."""
    return np.rint(_share(counts, most, scale) * FULL).astype(np.uint8)


def difference_shades(differences: NDArray[np.int64], most: int, scale: str) -> NDArray[np.uint8]:
    """Return shades from 0 (`most` points fewer) over the middle (as many) to the greatest (`most` points more)."""
    signed = np.sign(differences) * _share(np.abs(differences), most, scale)
    return np.rint((signed + 1) / 2 * FULL).astype(np.uint8)


def kind_shades(kinds: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the shades of hits, misses and extras."""
    order = np.zeros(max(KINDS) + 1)
    order[list(KINDS)] = np.linspace(0, FULL, len(KINDS))
    return np.rint(order[kinds]).astype(np.uint8)


def legend(most: int, most_apart: int | None, scale: str) -> str:
    """Return the legend that all maps share: points in a cell and, where there are two sides, their difference."""
    parts = [bar("Points in a cell", ticks(most, scale))]
    if most_apart is not None:
        parts.append(bar("Generated less held-out: orange fewer, blue more", ticks(most_apart, scale), apart=True))
    return f"<div class='legend'>{''.join(parts)}</div>"


def kinds_legend(numbers: dict[int, int]) -> str:
    """Return the legend of hits and misses with the number of each."""
    items = "".join(
        f"<div><i style='background:{colour}'></i>{word}: <b>{numbers[kind]:d}</b></div>"
        for kind, (colour, word) in KINDS.items()
    )
    return f"<div class='legend kinds'>{items}</div>"


def ticks(most: int, scale: str) -> list[int]:
    """Return the counts at the start, the two thirds and the end of a scale."""
    shares = np.linspace(0, 1, 4)
    values = np.expm1(shares * np.log1p(most)) if scale == LOG else shares * most
    return np.rint(values).astype(int).tolist()


def _share(counts: NDArray[np.int64], most: int, scale: str) -> NDArray[np.float64]:
    most = max(most, 1)
    return np.log1p(counts) / np.log1p(most) if scale == LOG else counts / most


def bar(title: str, numbers: Sequence[int], *, apart: bool = False) -> str:
    """Return the bar of a legend, as HTML: of counts, or of differences from the least to the greatest (`apart`)."""
    colours, labels = ramps().counts, [f"{number:,}" for number in numbers]
    if apart:
        colours = ramps().differences
        labels = [*(f"−{label}" for label in labels[:0:-1]), "0", *(f"+{label}" for label in labels[1:])]
    spans = "".join(f"<span>{label}</span>" for label in labels)
    return (
        f"<div><p>{title}</p><div class='ramp' style='background:linear-gradient(90deg,{','.join(colours)})'></div>"
        f"<div class='ticks'>{spans}</div></div>"
    )
