"""Show on the map a route that is picked by clicks, and say which click comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from htp.city.credit import credit_html
from htp.errors import InputError
from htp_app.map import Hint, Picture, corners
from htp_app.state import set_route

if TYPE_CHECKING:
    from htp.city import City
    from htp_app.links import LonLat
    from htp_app.map import Picked
    from htp_app.model import Model
    from htp_app.plan import PlannedRoute

PROBLEM = "route-problem"  # in the session: what was wrong with the last pick, until it has been said
STEPS = ("Click the map to set the origin", "Now click the destination")


def route_picture(served: Model, via: tuple[LonLat, ...], plan: PlannedRoute | None, problem: str | None) -> Picture:
    """Return the picture of a route through waypoints; `problem` says why there is none."""
    problem = st.session_state.pop(PROBLEM, None) or problem
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


def pick(city: City, picked: Picked, name: str) -> None:
    """Take over what was picked on the map, before the page runs; a place far from every road is said and not kept."""
    for point in set(picked.waypoints) - set(st.session_state[name].via):
        try:
            city.snap(*point)
        except InputError as error:
            st.session_state[PROBLEM] = str(error)
            st.session_state["revision"] = picked.revision + 1  # the map takes the route of before back
            return
    set_route(picked.waypoints, name, picked.revision)
