"""Answer what the command line asks of a generator, from file to file in pieces, so that memory does not grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htp.generate import conditions_of
from htp.streams import keys_of
from htp.trips import Conditions, count_trips, iter_trips, write_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import geopandas as gpd

    from htp.generate import Generator
    from htp.language.decode import Sampling


def generate_like(  # noqa: PLR0913  the request and what it is answered with
    generator: Generator,
    like: Path,
    out: Path,
    sampling: Sampling,
    *,
    plus: str | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write a generated trip for the conditions of every prepared one, under its `trip_id`; return how many.

    With `plus` the routes are written as well (HTP+), told no more of the given ones than it says, see `TOLD`.
    """
    total = count_trips(like)
    writer = None if plus is None else generator.route_writer()

    def pieces() -> Iterator[gpd.GeoDataFrame]:
        names: list[str] = []

        def conditions() -> Iterator[Conditions]:
            for piece in iter_trips(like, needs=("roads", "percent")):
                asked, first = conditions_of(piece, generator.city), len(names)
                names.extend(piece["trip_id"])
                if writer is not None and plus is not None:
                    asked = writer.rewrite(asked, keys_of(seed, first, len(asked)), sampling, told=plus)
                yield from asked

        done = 0
        for made in generator.stream(conditions(), seed=seed, sampling=sampling, total=total, progress=progress):
            yield made.assign(trip_id=names[done : done + len(made)])
            done += len(made)

    return write_pieces(pieces(), out)


def generate_along(  # noqa: PLR0913  the request and what it is answered with
    generator: Generator,
    conditions: Conditions,
    n: int,
    out: Path,
    sampling: Sampling,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write `n` trips for the same conditions; return how many."""
    stream = generator.stream((conditions for _ in range(n)), seed=seed, sampling=sampling, total=n, progress=progress)
    return write_pieces((piece.assign(trip_id=[f"0-{name}" for name in piece["trip_id"]]) for piece in stream), out)
