"""Show the sentence that the language model read for a trip, beside the trip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from htp.language.prompt import PromptConditions, question_texts
from htp.tokenizer.lengths import length_token, restore_length
from htp.trips import point_count
from htp_app.components.markup import escaped

if TYPE_CHECKING:
    from htp_app.model import Model
    from htp_app.views.generate.generation import Generated

HELP = (
    "What you chose, in the words that stage 2 of the model reads, after the roads of the route. It answers with the "
    "trip's patterns. A travel time that you did not set is drawn anew for each trip."
)


def question_panel(generated: Generated, served: Model, number: int | None) -> None:
    """Show the question behind trip `number` (from 1), behind the first where none is looked at."""
    row = 0 if number is None else number - 1
    text = question_of(generated, served, row)
    whose = f"trip {row + 1}" if len(generated.trips) > 1 else "the trip"
    if not is_exact(generated, served.generator.recording.interval_s):
        whose += "; its time may be a few seconds off, as the service in use gives trips without their tokens"
    st.markdown("##### What the language model reads", help=HELP)
    st.html(f"<blockquote class='question'>{escaped(text)}<small>For {whose}</small></blockquote>")


def question_of(generated: Generated, served: Model, row: int) -> str:
    """Return the sentence of the question that a trip answers."""
    city, recording = served.generator.city, served.generator.recording
    trip = generated.trips.iloc[row]
    points = np.array([_points(generated, row, recording.interval_s)])
    start = pd.DatetimeIndex([trip["start_time"]]).tz_convert(city.timezone)
    roads = np.asarray(trip["roads"], dtype=np.int32)
    distance_m, interval_s = np.array([generated.route_m]), np.array([recording.interval_s])
    tokens = np.array([length_token(int(points[0]))], dtype=np.int8)
    asked = PromptConditions([roads], start, points, distance_m, interval_s, tokens)
    return question_texts(asked, city)[0]


def is_exact(generated: Generated, interval_s: float) -> bool:
    """Return whether the number of points that the model was asked for is known, or follows from the trip roughly."""
    known = {"anchors", "length_token"} <= {*generated.trips.columns} or generated.choices.duration_s is not None
    return known or float(generated.trips["interval"].iloc[0]) == interval_s


def _points(generated: Generated, row: int, interval_s: float) -> int:
    """Return how many points the model was asked for, at its own interval, whatever the trip was read off at.

    A service gives no patterns; then it follows from the travel time, to a point more or less at another interval.
    """
    trip = generated.trips.iloc[row]
    if "anchors" in trip and "length_token" in trip:
        return restore_length(len(trip["anchors"]), int(trip["length_token"]))
    asked_s = generated.choices.duration_s
    return point_count(float(generated.profile.duration_s[row]) if asked_s is None else float(asked_s), interval_s)
