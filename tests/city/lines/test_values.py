"""Check what the values of fields mean."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from htp.city.lines.values import Driven, class_of, driven, name_of, word

ALONG, AGAINST, BOTH, CLOSED = Driven.along, Driven.against, Driven.both, Driven.closed


def ways(*values) -> list:
    return driven(pd.Series(list(values), dtype=object)).tolist()


@pytest.mark.parametrize(
    ("values", "meant"),
    [
        (["yes", "no", "-1", None], [ALONG, BOTH, AGAINST, BOTH]),
        ([True, False, None], [ALONG, BOTH, BOTH]),
        ([1.0, 0.0, 2.0, np.nan], [ALONG, BOTH, AGAINST, BOTH]),
        (["B", "FT", "TF", "N"], [BOTH, ALONG, AGAINST, CLOSED]),
        (["B", "F", "T"], [BOTH, ALONG, AGAINST]),
        (["", "F", "T"], [BOTH, ALONG, AGAINST]),
        (["F", "T"], [BOTH, ALONG]),
        (["Y", "N"], [ALONG, BOTH]),
        (["One Way", "TWO-WAY", "one_way"], [ALONG, BOTH, ALONG]),
        (["Sens direct", "Sens inverse", "Double sens"], [ALONG, AGAINST, BOTH]),
        (["sideways"], [None]),
    ],
)
def test_ways_are_read_as_the_trade_writes_them(values, meant):
    assert ways(*values) == meant


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Motorway", "motorway"),
        ("Motorway_Link", "motorway_link"),
        ("Principal Arterial", "primary"),
        ("A", "primary"),
        ("Minor-Arterial", "secondary"),
        ("COLLECTOR", "tertiary"),
        ("Local Street", "residential"),
        ("S1400", "residential"),
        ("living_street", "living_street"),
        ("Footway", ""),
        ("alley", ""),
        ("7", None),
    ],
)
def test_classes_are_known_by_their_usual_words(value, kind):
    assert class_of(word(value)) == kind


def test_a_name_is_text_that_names_something():
    assert [name_of(one) for one in ("  Main   St ", "", "<Null>", None, np.nan)] == ["Main St", *[None] * 4]
