"""Check budgets as they are written, and what is said of the machine."""

from __future__ import annotations

import re

import pytest

from htp.errors import InputError
from htp.experiment.settings import ExperimentSettings, budget_of, machine, seconds_of, versions


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("20m", 1200), ("2h", 7200), ("0.5m", 30), (" 5s ", 5)])
def test_a_budget_is_a_number_of_seconds_minutes_or_hours(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["20", "m", "0s", "-5m", "5 minutes", "1h30m", ""])
def test_other_budgets_are_refused(text):
    with pytest.raises(InputError, match="such as 90s, 20m or 2h"):
        seconds_of(text)


@pytest.mark.parametrize(("seconds", "text"), [(7200, "2h"), (1200, "20m"), (90, "90s"), (0.5, "0.5s")])
def test_seconds_are_written_in_the_largest_unit_that_fits(seconds, text):
    assert budget_of(seconds) == text


@pytest.mark.parametrize("wrong", [{"budget_s": 0}, {"seeds": 0}, {"trips": -1}, {"heldout": 0}], ids=str)
def test_settings_with_which_nothing_can_be_run_are_refused(wrong):
    with pytest.raises(InputError, match="give more than 0"):
        ExperimentSettings(**({"budget_s": 1.0} | wrong))


def test_the_machine_is_described_in_words():
    assert re.match(r"\d+ cores \(\d+ used to train and generate\), \d+ GiB memory, .+", machine("cpu"))
    assert set(versions()) == {"python", "htp", "torch", "numpy"}
