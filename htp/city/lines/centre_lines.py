"""Read a file of centre lines as the graph of streets and the credit that its maps need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from htp.city.lines.fields import about_lines
from htp.city.lines.graph import Streets, graph_of_lines
from htp.city.lines.layer import read_layer
from htp.city.lines.overture import OVERTURE_CREDIT, OVERTURE_LICENCE, is_overture, segments
from htp.city.lines.projection import in_metres
from htp.city.simplify import ReadRoads
from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from htp.city.lines.options import LineOptions

NOT_GIVEN = "not given"


def read_centre_lines(path: Path, options: LineOptions, say: Callable[[str], None]) -> ReadRoads:
    """Read a file of centre lines; what was guessed and left out is said. `InputError` where it holds none."""
    layer = read_layer(path, options.layer)
    layer, to_degrees = in_metres(layer, options.crs, say)
    overture, marks = is_overture(layer) and not options.fields, None
    if overture:
        try:
            layer, about, marks = segments(layer, options, say)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{path}: what its segments say is not as Overture writes it; export them again, or say with --field "
                "how its columns are read."
            ) from error
    else:
        layer, about = about_lines(layer, options, say)
    if layer.left_out:
        say(f"{path.name}: left out {', '.join(f'{count:,} {reason}' for reason, count in layer.left_out.items())}.")
    if not len(layer.lines):
        raise InputError(f"{path}: none of its lines is for cars; give another layer, or their classes with --class.")
    lines = shapely.remove_repeated_points(layer.lines)
    streets = Streets(lines, about, None if marks is None else marks.on(lines))
    graph = graph_of_lines(streets, to_degrees, lambda sentence: say(f"{path.name}: {sentence}"))
    credit = options.attribution or ""
    if overture:
        return ReadRoads(
            graph,
            f"Overture Maps, {path.name}",
            options.licence or OVERTURE_LICENCE,
            f"{OVERTURE_CREDIT}, {credit}" if credit else OVERTURE_CREDIT,
        )
    if not credit:
        say(f"{path.name}: no --attribution was given, so maps of this city credit nobody for its roads.")
    return ReadRoads(graph, f"centre lines, {path.name}", options.licence or NOT_GIVEN, credit)
