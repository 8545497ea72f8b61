"""Look into the codebook: what its tokens stand for, which trips share them, how much each is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from htp.evaluate.codebook import LETTERS, name_of
from htp_app import model
from htp_app.components.charts import draw
from htp_app.components.gallery import gallery
from htp_app.components.guard import Need, lacking
from htp_app.components.heading import heading, how_to_read
from htp_app.components.markup import without_pictures
from htp_app.jobs.action import progress
from htp_app.state import remember, restore
from htp_app.views.codebook import browsing
from htp_app.views.codebook.browsing import Browsing
from htp_app.views.codebook.charts import tiles, use_chart, use_words
from htp_app.views.codebook.controls import (
    NAME,
    TRY,
    choose,
    layer_control,
    order_control,
    sequence_panel,
    trips_panel,
)
from htp_app.views.codebook.maps import shared_map

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from htp_app.jobs.job import Job

HEIGHT = "max(320px, calc(100dvh - 8.6rem))"  # of the gallery and the map
HELP = (
    "A **pattern** is 8 GPS points of a trip, two minutes at one every 15 s; its **token** is the first of its four "
    "codes (a to d), which refine each other. **Left in a picture**: the movement from above, heading up; in grey "
    "single patterns, in colour their mean with a dot a point. **Right**: the speed of "
    "each step from 0 to 60 km/h, median and middle half. **On the map**: grey whole trips, in the strong colour with "
    "points the part behind the tokens. Choose a token, then another layer to refine it, or **Then …** to go on."
)


def page() -> None:
    """Ask for tokens; draw the gallery of codes, the trips that share them and the use of every layer."""
    served = model.current()
    if lacking(served, Need.networks):
        return
    start = Browsing(browsing.sizes_of(served))
    choices = restore(start, NAME)
    choices = choices if choices.sizes == start.sizes else start  # of another checkpoint, before
    job = browsing.encoding(served)
    with st.sidebar:
        heading(served, "See what each token of the model stands for, and find the trips that share it.")
        panel = st.container()
    body = st.container(key="page")
    if job.result is not None:
        if st.session_state.pop(TRY, False):
            choices = _example(job.result, start)
        with body:
            _browse(served, job.result, choices, panel)
    remember(choices, NAME)
    if job.result is None:
        with body:
            _wait(job)


def _browse(
    served: model.Model, encoded: browsing.Encoded, choices: Browsing, panel: st.delta_generator.DeltaGenerator
) -> None:
    offered = browsing.offered(encoded, choices.context, choices.step, choices.layer)
    found = None if choices.empty else browsing.shared(encoded, choices.sequence)
    shown = tiles(offered, choices.layer, choices.order)
    with panel:
        sequence_panel(choices, _slowest(offered))
        if found is not None:
            trips_panel(served, encoded, choices, found)
        order_control(choices)
        how_to_read(HELP)
    left, right = st.columns([1, 1.02], gap="small")
    with left:
        with st.container(key="codebook-layers", horizontal=True, vertical_alignment="center"):
            layer_control(choices)
            st.html(f"<p class='departure'><small>{_offer(choices, len(shown))}</small></p>")
        chosen = choices.prefix[choices.layer] if choices.layer < len(choices.prefix) else None
        gallery("codebook-gallery", shown, chosen, HEIGHT, choose)
    with right:
        st.html(_title(found, choices))
        shared_map(served, encoded, choices, HEIGHT)
    _use(encoded, choices)


def _example(encoded: browsing.Encoded, start: Browsing) -> Browsing:
    """Return the choice of the slowest token."""
    slowest = _slowest(browsing.offered(encoded, start.context, start.step, start.layer))
    return start if slowest is None else start.toggled(slowest)


def _slowest(offered: browsing.Offered) -> int | None:
    return min(offered.behind, key=lambda one: one.mean_kmh).code if offered.behind else None


def _offer(choices: Browsing, number: int) -> str:
    size, letter = choices.sizes[choices.layer], LETTERS[choices.layer]
    if choices.context == ((),):
        return f"All {size} tokens" if number == size else f"{number} of {size} tokens, the others unused"
    return f"{number} of {size} codes {letter} occur here"


def _title(found: browsing.Shared | None, choices: Browsing) -> str:
    if found is None:
        return "<p class='departure'><b>Trips that share a token</b></p>"
    names = " → ".join(name_of(prefix).replace("*", "any").replace(".", " ") for prefix in choices.sequence)
    trips = "1 trip" if len(found.rows) == 1 else f"{len(found.rows):,} trips"
    return f"<p class='departure'><b>{names}</b><small>{trips}</small></p>"


def _use(encoded: browsing.Encoded, choices: Browsing) -> None:
    """Draw the use of each layer's codes by all held-out trips."""
    st.markdown("##### Use of the codes, layer by layer", help="Dashed: all codes used alike. Orange: the chosen code.")
    for layer, column in enumerate(st.columns(len(encoded.uses), gap="small")):
        chosen = choices.prefix[layer] if layer < len(choices.prefix) else None
        with column:
            st.caption(f"**Layer {layer + 1}**: {use_words(encoded.uses[layer])}")
            draw(_use_chart(encoded, layer, chosen), f"codebook-use-{layer}")


@st.cache_resource(show_spinner=False, max_entries=browsing.KEPT, hash_funcs=browsing.BY_PLACE)
def _use_chart(encoded: browsing.Encoded, layer: int, chosen: int | None) -> go.Figure:
    return use_chart(encoded.uses[layer], layer, chosen)


def _wait(job: Job[browsing.Encoded]) -> None:
    if job.crash is not None:
        raise job.crash
    if job.error is not None:
        st.error(without_pictures(str(job.error)))
        return
    progress(job, _words)


def _words(job: Job[browsing.Encoded]) -> str:
    done = f"{job.done:,} of {job.total:,}" if job.done else "starting …"
    return f"Encoding the held-out trips, once for everybody: {done}"


page()
