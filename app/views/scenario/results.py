"""Say in figures and charts what a scenario does to the trips, and offer both sides as files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from htp.planning.scenario.outcome import CLOSED_END, CUT_OFF, REROUTED, RETIMED, SAME
from htp.planning.scenario.traffic import roads_table, streets
from htp_app.components.charts import draw
from htp_app.components.figures import figures
from htp_app.components.files import FORMATS, download, file_bytes, format_choice
from htp_app.views.scenario.charts import detour_chart, streets_chart, travel_time_chart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.planning.scenario import Outcome
    from htp_app.views.scenario.work import ScenarioTrips

OFFERED = ("GeoParquet", "GeoJSON")
ASSUMED = (
    "Assumed: a new speed limit stretches a route's travel time in proportion, and no road gets slower from traffic "
    "that moves onto it."
)


def results_panel(outcome: Outcome, made: ScenarioTrips | None) -> None:
    """Draw figures, charts and downloads; `made` are the generated trips of this outcome, where there are any."""
    st.html(_figures(outcome))
    st.caption(f":material/info: {ASSUMED}")
    found = streets(outcome)
    if found:
        st.markdown("##### Streets that gain and lose", help="Trips that use a street, on whichever of its blocks.")
        draw(streets_chart(found, 250), "scenario-streets")
    if outcome.number(REROUTED):
        st.markdown("##### Detours", help="Trips that take another route, by how much farther they drive.")
        draw(detour_chart(outcome, 165), "scenario-detours")
    if len(outcome.again):
        st.markdown("##### Travel time", help="An affected trip a point; above the dashed line it takes longer.")
        draw(travel_time_chart(outcome, 210), "scenario-times")
    _downloads(outcome, made)


def _figures(outcome: Outcome) -> str:
    total, same = len(outcome.demand), outcome.number(SAME)
    moved = outcome.kind == REROUTED
    rerouted, retimed = outcome.number(REROUTED), outcome.number(RETIMED)
    closed, cut = outcome.number(CLOSED_END), outcome.number(CUT_OFF)
    detour = _median(outcome.detour_m[moved])
    farthest = f"up to {outcome.detour_m[moved].max() / 1000:+.1f} km" if rerouted else "no other routes"
    cells = [
        ("Trips affected", f"{total - same} of {total}", f"{rerouted} rerouted, {retimed} on their route"),
        ("No longer possible", str(closed + cut), f"{closed} end on a closed road, {cut} cut off"),
        ("Detour, median", "–" if detour is None else f"{detour:+,.0f} m", farthest),
        ("Travel time, mean", *_minutes(outcome)),
    ]
    return figures(cells).replace("-", "−")


def _median(values: NDArray[np.float64]) -> float | None:
    return float(np.median(values)) if len(values) else None


def _minutes(outcome: Outcome) -> tuple[str, str]:
    """Return the minutes that affected trips take longer, and both means: as these are read, so is the difference."""
    again = outcome.again
    if not len(again):
        return "–", "none changes"
    before, after = (round(float(side[again].mean()) / 60, 1) for side in (outcome.demand.seconds, outcome.seconds))
    return f"{after - before:+.1f} min", f"{before:.1f} → {after:.1f} min"


@st.fragment
def _downloads(outcome: Outcome, made: ScenarioTrips | None) -> None:
    st.markdown("##### Export")

    def table() -> bytes:
        return roads_table(outcome).to_csv(index=False).encode()

    download("Roads with counts (CSV)", table, "roads-before-after.csv", icon="table")
    if made is None:
        st.caption("Generate trips to export both sides as GPS trips.")
        return
    ending = FORMATS[format_choice("scenario-format", OFFERED, "Trips as")]
    for column, name, trips in zip(st.columns(2), ("before", "after"), (made.before, made.after), strict=True):
        with column:
            content = partial(file_bytes, trips, ending)
            download(f"Trips {name}", content, f"trips-{name}{ending}", disabled=not len(trips))
