"""Show on the map a route that is picked by clicks, and say which click comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from htp.city.credit import credit_html
from htp_app.map import Hint, Picture, corners

if TYPE_CHECKING:
    from htp_app.links import LonLat
    from htp_app.model import Model
    from htp_app.plan import PlannedRoute

STEPS = ("Click the map to set the origin", "Now click the destination")


def route_picture(served: Model, via: tuple[LonLat, ...], plan: PlannedRoute | None, problem: str | None) -> Picture:
    """Return the picture of a route through waypoints; `problem` says why there is none."""
    step = STEPS[len(via)] if len(via) < len(STEPS) else None
    return Picture(
        basemap=served.basemap,
        bounds=corners(served.generator.city.bounds),
        credit=credit_html(served.generator.city),
        waypoints=via,
        revision=st.session_state.get("revision", 0),
        route=plan.line if plan else (),
        badge=served.badge,
        hint=Hint(problem, "error") if problem else Hint(step) if step else None,
        fit=str(st.session_state.get("fit", 0)),
        play=True,
    )
