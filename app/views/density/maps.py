"""Show where the points of held-out and of generated trips lie: both and their difference, or the top 100 places."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from htp.city.credit import credit_html
from htp.evaluate.density import NEITHER, main_roads
from htp.evaluate.metrics import TOP_K
from htp_app.components.shades import KINDS, count_shades, difference_shades, kind_shades, kinds_legend, legend, ramps
from htp_app.map import Hint, Picture, city_map, corners
from htp_app.map.areas import area_table, cell_shapes, cell_table, road_shapes
from htp_app.sample import heldout_floor
from htp_app.state import TOP_ROADS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.city import City
    from htp.evaluate.density import Density, Top
    from htp.evaluate.measure import Measures
    from htp_app.map.table import PackedTable
    from htp_app.model import Model
    from htp_app.state import Comparison

THREE_MAPS = "max(300px, calc(100dvh - 10.3rem))"  # height
ONE_MAP = "max(300px, calc(100dvh - 8.1rem))"
TABLE_PX = 560
RIM_PX = 3.0  # a cell of the top 100 is seen from afar
WIDTHS = {"Street": 150, "Held-out": 70, "Generated": 78, "Found in": 110}  # px
SIDES = ("held-out", "generated")
NOT_YET = Hint("Generate trips to see them here")
NO_POINTS = Hint("No trip drives in these hours; choose others")
NAMELESS = "Unnamed street"


def three_maps(served: Model, choices: Comparison, density: Density, *, ready: bool) -> None:
    """Draw held-out points, generated points and their difference, which move together, over one legend."""
    floor = heldout_floor(served, choices.count, choices.hours, roads=False).similarity
    city, colours = served.generator.city, ramps()
    most = int(max(density.real.max(initial=0), density.generated.max(initial=0)))
    apart = int(np.abs(density.difference).max(initial=0))
    everywhere = np.arange(len(density.places))
    real, generated = np.flatnonzero(density.real), np.flatnonzero(density.generated)
    sides = (
        ("Held-out trips", real, count_shades(density.real[real], most, choices.scale), colours.counts),
        ("Generated trips", generated, count_shades(density.generated[generated], most, choices.scale), colours.counts),
        ("Difference", everywhere, difference_shades(density.difference, apart, choices.scale), colours.differences),
    )
    with st.container(horizontal=True, gap="small", key="densities"):
        for at, (title, rows, shade, ramp) in enumerate(sides):
            with st.container(gap=None, key=f"density-{at}"):
                shown = ready or at == 0
                note = f"{density.similarity:.3f} alike (G-Den), floor {floor:.3f}" if at == 2 and ready else ""
                st.html(f"<p class='departure'><b>{title}</b><small>{note}</small></p>")
                table = cell_table(city, density, rows, shade, SIDES) if shown and len(rows) else None
                hint = NOT_YET if not shown else None if len(density.places) else NO_POINTS
                city_map(f"density-map-{at}", _picture(served, table, ramp, hint, THREE_MAPS))
    st.html(legend(most, apart if ready else None, choices.scale))


def top_places(
    served: Model, choices: Comparison, density: Density, real: Measures, generated: Measures | None
) -> None:
    """Draw the top 100 places of both sides as hits and misses, and list them."""
    if generated is None or not len(density.places):
        hint = NOT_YET if generated is None else NO_POINTS
        city_map("top-map", _picture(served, None, ramps().kinds, hint, ONE_MAP))
        return
    city, top = served.generator.city, density.top()
    floor = heldout_floor(served, choices.count, choices.hours, roads=choices.places == TOP_ROADS).f1
    rows = np.flatnonzero(top.kind != NEITHER)
    roads = density.places[rows] if choices.places == TOP_ROADS else main_roads(real, density.places[rows])
    if choices.places != TOP_ROADS:  # a cell without a held-out point is named after the generated ones
        roads = np.where(roads < 0, main_roads(generated, density.places[rows]), roads)
    names = [_name(city, int(road)) for road in roads]
    shapes = road_shapes(city, roads) if choices.places == TOP_ROADS else cell_shapes(density.places[rows])
    table = area_table(city, shapes, density, rows, kind_shades(top.kind[rows]), (names, SIDES))
    left, right = st.columns([1.35, 1], gap="small")
    with left:
        city_map("top-map", replace(_picture(served, table, ramps().kinds, None, ONE_MAP), rim_px=RIM_PX))
        st.html(kinds_legend({kind: top.number(kind) for kind in KINDS}))
    with right:
        st.markdown(
            f"##### {_headline(choices, top, floor)}",
            help="Numbers are GPS points, those with most held-out ones first.",
        )
        st.dataframe(
            places_table(density, top, rows, names),
            height=TABLE_PX,
            hide_index=True,
            key="top-table",
            column_config={name: st.column_config.Column(width=px) for name, px in WIDTHS.items()},
        )


def places_table(density: Density, top: Top, rows: NDArray[np.int64], names: list[str]) -> pd.DataFrame:
    """Return the places, those with most held-out points first."""
    table = pd.DataFrame(
        {
            "Street": names,
            "Held-out": density.real[rows],
            "Generated": density.generated[rows],
            "Found in": [KINDS[kind][1] for kind in top.kind[rows].tolist()],
        }
    )
    return table.sort_values(["Held-out", "Generated"], ascending=False, kind="stable")


def _headline(choices: Comparison, top: Top, floor: float) -> str:
    what, metric = ("roads", "R-Pat") if choices.places == TOP_ROADS else ("cells", "G-Pat")
    return f"Top {TOP_K} {what}: {top.f1:.0%} in common ({metric} {top.f1:.2f}, floor {floor:.2f})"


def _name(city: City, road: int) -> str:
    name = city.roads["name"].iloc[road] if road >= 0 else None
    return name if isinstance(name, str) else NAMELESS


def _picture(
    served: Model, table: PackedTable | None, ramp: tuple[str, ...], hint: Hint | None, height: str
) -> Picture:
    return Picture(
        basemap=served.basemap,
        bounds=corners(served.generator.city.bounds),
        credit=credit_html(served.generator.city),
        areas=table,
        ramp=ramp,
        badge=served.badge,
        hint=hint,
        height=height,
        group="density",
    )
