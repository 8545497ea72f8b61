"""Memory stays where it is over 200 runs of a page and 100 generations by the model that ships."""

from __future__ import annotations

import gc
from pathlib import Path

import psutil
import pytest
import streamlit as st
from driving import opened

import htp_app.model
from htp.checkpoint import shipped
from htp.conditions import conditions_of

VIEW = Path(htp_app.model.__file__).parent / "views" / "generate" / "view.py"
WARM, RUNS, GENERATIONS, MOST_MIB = 20, 200, 100, 50.0


def mib() -> float:
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


@pytest.mark.slow
@pytest.mark.thorough
def test_memory_is_flat_over_generations_and_runs_of_a_page(monkeypatch):
    monkeypatch.setattr("sys.argv", ["app/main.py", "--checkpoint", str(shipped())])
    st.cache_resource.clear()
    page = opened(VIEW)
    served = htp_app.model.load_model(str(shipped()))
    drive = conditions_of(served.heldout.iloc[:1], served.generator.city)[0]
    grown = {}
    for name, work, times in (
        ("generations", lambda seed: served.generator.generate(drive, n=1, seed=seed), GENERATIONS),
        ("runs", lambda _: page.run(), RUNS),
    ):
        for number in range(WARM):
            work(number)
        before = mib()
        for number in range(times):
            work(WARM + number)
        grown[name] = mib() - before
    assert max(grown.values()) < MOST_MIB, grown
