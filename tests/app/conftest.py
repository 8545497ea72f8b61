"""Put a fake generator of the grid city behind the app's pages."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner

sys.path.insert(0, str(Path(__file__).parent))  # for fake_generator, which browser tests start in a process of its own

from fake_generator import FakeGenerator

import htp_app.model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from htp.city import City


@pytest.fixture(scope="session", autouse=True)
def packages_seen_once() -> Iterator[None]:
    """Look through the installed packages for components of Streamlit once: every AppTest would, for a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(autouse=True)
def main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put `__main__` back, which AppTest replaces by the page: processes that later tests start would run it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def checkpoint(grid: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Serve a checkpoint of the grid city whose card says that its trips are simulated."""
    (tmp_path / "README.md").write_text("---\nsimulated: true\n---\n# Grid\n", encoding="utf-8")
    monkeypatch.setattr(htp_app.model, "load_generator", lambda _: FakeGenerator(grid, seconds_per_trip=0.0))
    monkeypatch.setattr(sys, "argv", ["app/main.py", "--checkpoint", str(tmp_path)])
    st.cache_resource.clear()
    return tmp_path
