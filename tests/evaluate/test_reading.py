"""A report that was printed as JSON comes back as it was."""

from __future__ import annotations

import json

import pytest

from htp.errors import InputError
from htp.evaluate import evaluate
from htp.evaluate.reading import read_report


@pytest.mark.parametrize("extras", [False, True], ids=["plain", "with ceiling and copies"])
def test_a_report_comes_back_from_its_json(grid, random_trips, extras):
    real, generated, train = (random_trips(grid, [20] * 12, seed=seed) for seed in range(3))
    options = {"ceiling": real, "train": train} if extras else {}
    if not extras:
        generated = generated.assign(trip_id=[f"other-{row}" for row in range(12)])
    report = evaluate(real, generated, grid, workers=1, **options)
    assert (report.closest is not None, report.validity is not None) == (extras, extras)
    assert read_report(report.to_json()) == report


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", json.dumps({"metrics": {"T-Dist": {}}, "beyond": {}}), "null", "[" * 100_000],
    ids=["nothing", "a list", "no metrics", "no figures", "null", "nested without end"],
)
def test_any_other_text_is_refused(text):
    with pytest.raises(InputError, match="is no report"):
        read_report(text)
