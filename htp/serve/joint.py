"""Generate trips of several requests in one pass through both stages.

A request's conditions are completed by themselves, so that a mistake in one is answered alone; what is written
together draws from the streams of each trip's own seed and place, so that a trip is the same in any company.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from htp.generate import Generator

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from htp.conditions import ConditionBatch
    from htp.language.sampling import Sampling
    from htp.trips import Conditions


@dataclass(frozen=True)
class RequestPart:
    """Some trips of a request, ready to be written."""

    wanted: ConditionBatch  # [B]

    def __len__(self) -> int:
        return len(self.wanted.keys)

    def __getitem__(self, rows: slice) -> RequestPart:
        return RequestPart(self.wanted[rows])


class JointGenerator(Generator):
    """A generator that writes the trips of several requests at once."""

    def complete(self, asked: list[Conditions], first: int, seed: int) -> RequestPart:
        """Return conditions ready to be written, see `completed`."""
        return RequestPart(self.completed(asked, first, seed))

    def write(self, parts: Sequence[RequestPart], sampling: Sampling) -> list[gpd.GeoDataFrame]:
        """Return the trips of each part, all generated in one batch, each named by its place in its request."""
        trips = self.trips_of(_join([part.wanted for part in parts]), sampling)
        ends = np.cumsum([0, *(len(part) for part in parts)]).tolist()
        return [trips.iloc[a:b].reset_index(drop=True) for a, b in pairwise(ends)]


def _join(tables: Sequence[Any]) -> Any:
    """Return dataclasses of columns one under another."""
    columns = {}
    for field in fields(tables[0]):
        parts = [getattr(table, field.name) for table in tables]
        if is_dataclass(parts[0]):
            columns[field.name] = _join(parts)
        elif isinstance(parts[0], pd.DatetimeIndex):
            columns[field.name] = parts[0].append(parts[1:])
        elif isinstance(parts[0], list):
            columns[field.name] = [one for part in parts for one in part]
        else:
            columns[field.name] = np.concatenate(parts)
    return replace(tables[0], **columns)
