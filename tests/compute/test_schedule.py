"""Check how a learning rate goes, at places computed by hand."""

from __future__ import annotations

import pytest

from htp.compute.schedule import LEAST, WARM_UP, rate_at


def test_the_rate_rises_then_falls_along_a_cosine_and_is_never_nothing():
    assert rate_at(0.0) == LEAST
    assert rate_at(WARM_UP / 2) == pytest.approx(0.5, rel=1e-3)
    assert rate_at(0.5) == pytest.approx(0.5)
    assert rate_at(1.0) == LEAST
    assert rate_at(1.7) == LEAST
