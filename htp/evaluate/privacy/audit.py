"""Audit a checkpoint: what it and the trips it generates give away of the trips it was trained on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from htp.evaluate.checked_trips import number_of
from htp.evaluate.privacy.attacks import AuditedTrips, copies, homes, membership, neighbours, rare_routes
from htp.evaluate.privacy.losses import language_loss, tokenizer_loss
from htp.evaluate.privacy.result import Audit, AuditFigure
from htp.evaluate.privacy.traces import read_traces
from htp.generate import Generator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from htp.evaluate.checked_trips import Trips

SAMPLE = 2000  # training and held-out trips that the models are asked about: an AUC is known to 0.02


def audit(  # noqa: PLR0913  a checkpoint and three tables, then four options
    checkpoint: Path | str,
    train: Trips,
    generated: Trips,
    heldout: Trips,
    *,
    sample: int = SAMPLE,
    workers: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Audit:
    """Compare generated and held-out trips with training trips, and ask both models about both.

    The tables are tables, files or folders of parts; training and held-out trips are prepared ones. `sample` trips of
    either are drawn at random for the models, `workers` is the number of threads that search. `InputError` where a
    table is empty, of another city, or where held-out trips are training trips.
    """
    generator, threads = Generator.load(checkpoint), workers or os.cpu_count() or 1
    sizes = {"training": number_of(train), "generated": number_of(generated), "held-out": number_of(heldout)}
    asked = min(sample, sizes["training"]) + min(sample, sizes["held-out"])
    tell = _counting(sum(sizes.values()) + asked, progress)
    random = np.random.default_rng(seed)
    read = {
        name: read_traces(trips, generator.city, random, choose=choose, progress=tell)
        for name, trips, choose in (("train", train, sample), ("generated", generated, 0), ("heldout", heldout, sample))
    }
    trips = AuditedTrips(read["train"], read["generated"], read["heldout"], random)
    found: list[AuditFigure] = copies(trips, threads)
    found += _by_models(generator, trips, tell)
    unknown: list[str] = []
    for figures in (neighbours(trips, generator.city, threads), rare_routes(trips), homes(trips)):
        if isinstance(figures, str):
            unknown.append(figures)
        else:
            found += [figures] if isinstance(figures, AuditFigure) else figures
    return Audit(tuple(found), tuple(unknown), sizes, sample, seed)


def _by_models(generator: Generator, trips: AuditedTrips, tell: Callable[[int], None]) -> list[AuditFigure]:
    """Ask the tokenizer and the language model about the chosen trips."""
    members, others = trips.train.chosen, trips.heldout.chosen
    back, unseen_back = (tokenizer_loss(side, generator.tokenizer) for side in (members, others))
    known, unseen = (language_loss(side, generator.tokenizer, generator.language, tell) for side in (members, others))
    by_tokenizer = membership("tokenizer", "how well the tokenizer brings it back", back, unseen_back, trips.random)
    by_language = membership("language model", "how likely the language model finds it", known, unseen, trips.random)
    return [*by_tokenizer, *by_language]


def _counting(total: int, progress: Callable[[int, int], None] | None) -> Callable[[int], None]:
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None:
            progress(done, total)

    return tell
