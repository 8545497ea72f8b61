"""Show the departures beside each other: a map each, which move together, with its travel time above."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from htp_app.components.markup import escaped
from htp_app.map import Picked, city_map, play_bar
from htp_app.map.route import pick, route_picture
from htp_app.views.times_of_day.charts import COLOURS

if TYPE_CHECKING:
    from htp_app.model import Model
    from htp_app.plan import PlannedRoute
    from htp_app.state import Departures
    from htp_app.views.times_of_day.departures import Compared, Departure

ALONE = "calc(100dvh - 3.75rem)"  # height where there is nothing below
ABOVE_CHARTS = "max(230px, calc(100dvh - 32.1rem))"
GROUP = "departures"  # of the maps, which move and play together; and of the choices


def departure_maps(
    served: Model, choices: Departures, plan: PlannedRoute | None, problem: str | None, compared: Compared | None
) -> None:
    """Draw a map for every departure that there is; before, one to pick the route on."""
    city = served.generator.city
    picture = replace(route_picture(served, choices.via, plan, problem), group=GROUP, height=ABOVE_CHARTS)

    def picked(route: Picked) -> None:
        pick(city, route, GROUP)

    if compared is None:
        city_map("departure-map-0", replace(picture, height=ALONE), picked)
        return
    play_bar("departures-play", GROUP)
    with st.container(horizontal=True, gap="small", key="departures"):
        for at, (departure, colour) in enumerate(zip(compared.departures, COLOURS, strict=False)):
            with st.container(gap=None, key=f"departure-{at}"):
                st.html(_title(departure, colour))
                shown = replace(
                    picture,
                    hint=picture.hint if at == 0 else None,
                    trips=departure.table,
                    max_kmh=compared.max_kmh,
                    legend=at == 0,
                )
                city_map(f"departure-map-{at}", shown, picked)


def _title(departure: Departure, colour: str) -> str:
    minutes = departure.profile.duration_s / 60
    speed = departure.profile.distance_m.sum() / departure.profile.duration_s.sum() * 3.6
    spread = f"{minutes.min():.0f} to {minutes.max():.0f} min, {speed:.0f} km/h"
    return (
        f"<p class='departure'><i style='background:{colour}'></i><b>{escaped(departure.name)}</b>"
        f"<span>{np.median(minutes):.0f} min</span><small>{spread}</small></p>"
    )
