"""Browse the codebook: what is chosen on the page, and the held-out trips encoded once per checkpoint and workspace.

A sequence is written as in `htp.evaluate.codebook`: `a_17.b_4,*,a_3` is token a_17 refined by b_4, any pattern, a_3.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import streamlit as st

from htp.checkpoint import Checkpoint
from htp.errors import InputError
from htp.evaluate.codebook import LETTERS, Behind, Codebook, CodebookUse, Prefix, name_of, parse_sequence
from htp.evaluate.codes import read_codes, write_codes
from htp_app.jobs.job import Job
from htp_app.links import Linked, left_out, linked, one_of
from htp_app.model import Model, common_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

SPEED, USE, NUMBER = "speed", "use", "number"
ORDERS = (SPEED, USE, NUMBER)
MAX_STEPS = 8  # of a sequence: 64 points
PIECE = 512  # trips encoded from one report of progress to the next
KEPT = 64  # galleries and sets of trips on the map


@dataclass(frozen=True)
class Browsing(Linked):
    """The sequence that trips are to share, and the codes that are offered for one of its steps."""

    sizes: tuple[int, ...]  # codes of each layer
    sequence: tuple[Prefix, ...] = ((),)  # a step or more; () is any pattern
    step: int = 0  # being chosen
    layer: int = 0  # whose codes are offered, from 0
    order: str = linked("sort", one_of(*ORDERS), SPEED)

    @property
    def prefix(self) -> Prefix:
        """What is chosen for the step."""
        return self.sequence[self.step]

    @property
    def context(self) -> tuple[Prefix, ...]:
        """The sequence without the step's codes of the layer on offer and below."""
        return self._with(self.prefix[: self.layer])

    @property
    def layers(self) -> int:
        """Number of layers whose codes can be offered: those chosen and the next."""
        return min(len(self.prefix) + 1, len(self.sizes))

    @property
    def empty(self) -> bool:
        """Whether nothing is chosen."""
        return not any(self.sequence)

    @property
    def written(self) -> str:
        """The sequence as it is written; nothing where there is nothing to write."""
        return "" if self.sequence == ((),) else ",".join(map(name_of, self.sequence))

    def toggled(self, code: int) -> Browsing:
        """Choose a code of the layer on offer, or take it back where it is the chosen one."""
        again = self.prefix[self.layer : self.layer + 1] == (code,)
        return replace(self, sequence=self._with(self.prefix[: self.layer] + (() if again else (code,))))

    def extended(self) -> Browsing:
        """Add a step behind the last one."""
        return replace(self, sequence=(*self.sequence, ()), step=len(self.sequence), layer=0)

    def shortened(self) -> Browsing:
        """Take the step out of the sequence."""
        rest = self.sequence[: self.step] + self.sequence[self.step + 1 :]
        return replace(self, sequence=rest or ((),), step=max(self.step - 1, 0), layer=0)

    def at(self, step: int) -> Browsing:
        """Go to a step."""
        return replace(self, step=step, layer=0)

    def reading(self, text: str) -> Browsing:
        """Take over a written sequence; `InputError` where a token is not one."""
        sequence = parse_sequence(text, self.sizes)
        if len(sequence) > MAX_STEPS:
            raise InputError(f"a sequence has {MAX_STEPS} tokens at most; leave out {len(sequence) - MAX_STEPS}")
        return replace(self, sequence=sequence or ((),), step=max(len(sequence) - 1, 0), layer=0)

    def to_query(self) -> dict[str, str]:
        """Return the choices as the parameters of a URL; where we are in the sequence only if not at its start."""
        query = {
            "tokens": self.written,
            "step": "" if self.step == len(self.sequence) - 1 else str(self.step + 1),
            "layer": "" if self.layer == 0 else LETTERS[self.layer],
        }
        return {name: value for name, value in query.items() if value} | super().to_query()

    def with_query(self, query: Mapping[str, str]) -> tuple[Browsing, list[str]]:
        """Return these choices under a URL's parameters, and a sentence on each that could not be used."""
        choices, problems = super().with_query(query)
        for name, read in _READERS.items():  # in this order: a step is one of the sequence, a layer one of the step
            try:
                choices = read(choices, query[name]) if name in query else choices
            except InputError as error:
                problems.append(left_out(name, query[name], error))
        return choices, problems

    def _with(self, prefix: Prefix) -> tuple[Prefix, ...]:
        return (*self.sequence[: self.step], prefix, *self.sequence[self.step + 1 :])


def _with_step(choices: Browsing, text: str) -> Browsing:
    known = [str(step + 1) for step in range(len(choices.sequence))]
    if text not in known:
        raise InputError(f"it takes a place in the sequence, 1 to {len(known)}")
    return choices.at(known.index(text))


def _with_layer(choices: Browsing, text: str) -> Browsing:
    known = LETTERS[: choices.layers]
    if len(text) != 1 or text not in known:
        raise InputError(f"it takes {' or '.join(known)}: a layer is chosen in after the one before")
    return replace(choices, layer=known.index(text))


_READERS: dict[str, Callable[[Browsing, str], Browsing]] = {
    "tokens": Browsing.reading,
    "step": _with_step,
    "layer": _with_layer,
}


@dataclass(frozen=True)
class Encoded:
    """The held-out trips with their patterns."""

    trips: gpd.GeoDataFrame
    book: Codebook
    uses: tuple[CodebookUse, ...]  # a layer each


@dataclass(frozen=True)
class Offered:
    """The codes that are offered for a step, and how many patterns stand behind all of them."""

    behind: tuple[Behind, ...]
    patterns: int


@dataclass(frozen=True)
class Shared:
    """The trips that share a sequence."""

    begins: NDArray[np.int64]  # patterns at which it begins
    rows: NDArray[np.int64]  # the trips, each once


# both stay where they are as long as the process lives
BY_PLACE: dict[str | type[Any], Callable[[Any], Any]] = {Model: id, Encoded: id}


@st.cache_resource(show_spinner=False, hash_funcs=BY_PLACE)
def encoding(served: Model) -> Job[Encoded]:
    """Start to encode the held-out trips, once for everybody; the work goes on in the background."""
    kept = _kept_at(served)  # here, as a thread knows no session
    return Job(lambda progress: _encoded(served, kept, progress))


def sizes_of(served: Model) -> tuple[int, ...]:
    """Return the number of codes of each layer."""
    return tuple(served.generator.tokenizer.model.config.codebook_sizes)


def shared(encoded: Encoded, sequence: tuple[Prefix, ...]) -> Shared:
    """Find the trips that share a sequence."""
    begins = encoded.book.where(sequence)
    return Shared(begins, np.unique(encoded.book.trip[begins]))


@st.cache_resource(show_spinner=False, max_entries=KEPT, hash_funcs=BY_PLACE)
def offered(encoded: Encoded, context: tuple[Prefix, ...], step: int, layer: int) -> Offered:
    """Return the codes of a layer that patterns have at a step of a sequence, with what stands behind them."""
    rows = encoded.book.where(context) + step
    return Offered(tuple(encoded.book.behind(rows, layer)) if len(rows) else (), len(rows))


def _kept_at(served: Model) -> Path | None:
    """Return where the codes are kept from one start of the app to the next; None where they cannot be."""
    known = Checkpoint(served.checkpoint).fingerprint("tokenizer", "city", "heldout.parquet")
    try:
        return None if known is None else common_workspace().cache_folder() / f"codes-{known}.parquet"
    except InputError:
        return None  # a folder that nobody may write to


def _encoded(served: Model, kept: Path | None, progress: Callable[[int, int], None]) -> Encoded:
    trips = None if kept is None else read_codes(served.heldout, kept)
    if trips is None:
        trips = _encode(served, progress)
        if kept is not None:
            with suppress(OSError):  # a full disk costs the next start its time, nobody this page
                write_codes(trips, kept)
    book = Codebook.of(trips, served.generator.city, sizes_of(served))
    return Encoded(trips, book, tuple(book.use(layer) for layer in range(len(book.sizes))))


def _encode(served: Model, progress: Callable[[int, int], None]) -> gpd.GeoDataFrame:
    from htp.generate import tokenize  # noqa: PLC0415  brings PyTorch, which is there with the generator

    trips, pieces = served.heldout, []
    for at in range(0, len(trips), PIECE):
        progress(at, len(trips))
        pieces.append(tokenize(trips.iloc[at : at + PIECE], served.generator.tokenizer))
    return gpd.GeoDataFrame(pd.concat(pieces, ignore_index=True), crs=trips.crs)
