"""Put the distributions of generated trips over those of the held-out trips that they were made like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from htp.evaluate.distributions import Distribution, distributions
from htp_app import model
from htp_app.components.charts import draw
from htp_app.components.comparison import comparison_page
from htp_app.components.guard import Need, lacking
from htp_app.views.distributions.charts import WORDS, distribution_chart, verdict

if TYPE_CHECKING:
    from htp.evaluate.measure import Measures
    from htp_app.state import Comparison

ROWS = ((2, 1), (1, 1, 1), (1, 1))  # the charts of each row and how wide they are, lengths first
CHART_PX = 168  # height
ABOUT = "See whether generated trips are like the held-out ones that the generator never saw."
HELP = (
    "Bars: generated trips; line: held-out ones, in percent. **Divergence**: Jensen–Shannon, from 0 (the same) to 1 "
    "(nothing in common). **Noise floor**: what chance alone makes of as many trips as good as real, got from "
    "random parts of the held-out ones; more trips make it smaller. Length, travel distance, radius and "
    "hour follow from what the generator is asked for; steps, speeds and distances from the road are its own."
)


def page() -> None:
    """Ask for a number of trips, generate when asked to, draw the distributions of both sides."""
    served = model.current()
    if lacking(served, Need.heldout):
        return

    def draw_both(choices: Comparison, real: Measures, generated: Measures | None) -> None:
        _charts(_found(served, choices, real, generated), f"Held-out {served.real_word} trips")

    comparison_page(served, (ABOUT, HELP), draw_both)


def _found(served: model.Model, choices: Comparison, real: Measures, generated: Measures | None) -> list[Distribution]:
    """Return the distributions, computed once as long as the choices stay."""
    key = (choices.count, choices.seed, generated is None)
    if st.session_state.get("distributions-key") != key:
        st.session_state["distributions"] = distributions(real, generated, len(served.generator.city))
        st.session_state["distributions-key"] = key
    found: list[Distribution] = st.session_state["distributions"]
    return found


def _charts(found: list[Distribution], real_name: str) -> None:
    rest = iter(found)
    for widths in ROWS:
        for column in st.columns(widths, gap="small"):
            distribution = next(rest)
            words = WORDS[distribution.metric]
            with column:
                st.markdown(f"##### {words.title}", help=words.help)
                st.caption(verdict(distribution))
                figure = distribution_chart(distribution, real_name, CHART_PX, legend=distribution is found[0])
                draw(figure, f"distribution-{distribution.metric}")


page()
