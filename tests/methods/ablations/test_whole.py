"""Check HTP as a method, and the variants that change a setting."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from htp.city.linear_referencing import RouteLines
from htp.conditions import prompt_conditions_of
from htp.tokenizer.model import RQVAE


def test_a_trip_stays_on_its_route_and_drives_the_distance_asked_for(tiny, trips, grid):
    made = tiny("HTP").generate(trips, seed=3)
    length_m = RouteLines.of(grid, list(trips["roads"])).length_m
    for row in range(len(trips)):
        percent, asked = made["percent"].iloc[row], trips["percent"].iloc[row]
        assert (np.diff(percent) >= 0).all()
        assert percent[0] >= 0
        assert percent[-1] <= 1
        assert (percent[-1] - percent[0]) * length_m[row] == pytest.approx(
            (asked[-1] - asked[0]) * length_m[row], abs=0.1
        )


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("regressed steps", {"increments": "anchored"}),
        ("regressed offsets", {"increments": "anchored", "offset_noise": False}),
        ("free increments", {"increments": "free"}),
        ("absolute input", {"inputs": "absolute"}),
        ("no anchors", {"increments": "normalised"}),
        ("plain road tokens", {}),
        ("w/o R-Loss", {}),
        ("w/o OOV", {}),
        ("w/o LLM", {}),
        ("free length", {}),
        ("no depth head", {}),
    ],
)
def test_a_variant_changes_no_other_setting_of_the_tokenizer(name, changed, tiny):
    whole, variant = (asdict(tiny(n).tokenizer.model.config) for n in ("HTP", name))
    assert {key: value for key, value in variant.items() if whole[key] != value} == changed


@pytest.mark.parametrize("name", ["plain road tokens", "w/o OOV", "w/o LLM", "free length", "no depth head"])
def test_what_leaves_the_tokenizer_alone_has_the_same_codes_as_htp(name, tiny, trips):
    whole, variant = (tiny(n).tokenizer.encode(trips).codes for n in ("HTP", name))
    np.testing.assert_array_equal(variant, whole)
    assert type(tiny(name).tokenizer.model) is RQVAE


def test_plain_road_tokens_start_at_random_and_not_from_features(tiny, trips, grid):
    variant = tiny("plain road tokens")
    rows = variant._new_language(prompt_conditions_of(trips, grid)).model.rows
    assert rows.tell is None
    assert float(rows.roads.weight.detach().std()) == pytest.approx(0.02, rel=0.1)
    whole = tiny("HTP")._new_language(prompt_conditions_of(trips, grid)).model.rows
    assert whole.tell is not None
    assert whole.roads is None
