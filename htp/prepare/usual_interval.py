"""Find the sampling interval that raw trips have, to which all of them are brought unless another one is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htp.prepare.drives import in_order, median_step_s

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from htp.prepare.rawtrips import RawTrips, Source

# All ours.
INTERVALS_S = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 45, 60, 90, 120)
LOOKED_AT = 8  # chunks of a source at most, from all over it: a file may hold one vehicle after another
OTHERWISE_S = 15.0  # where no trip has two points, as the paper's Porto


def usual_interval_s(some: Iterable[RawTrips]) -> float:
    """Return the usual interval that is nearest, in proportion, to the median over trips of their median steps."""
    medians_s = np.concatenate([np.zeros(0), *(median_step_s(in_order(raw)) for raw in some)])
    known_s = medians_s[np.isfinite(medians_s)]
    if len(known_s) == 0:
        return OTHERWISE_S
    return float(min(INTERVALS_S, key=lambda one: abs(np.log(np.median(known_s) / one))))


def sample_of(sources: Sequence[Source]) -> Iterator[RawTrips]:
    """Yield trips from all over the sources."""
    for source in sources:
        done, wanted = 0, 0.0
        for chunk in source.chunks():
            if done >= wanted:
                wanted = (done * LOOKED_AT // max(source.size, 1) + 1) * source.size / LOOKED_AT
                yield chunk.parse()
            done += chunk.size
