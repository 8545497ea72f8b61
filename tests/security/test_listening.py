"""Start the app and the service where nobody else reaches them, unless asked otherwise."""

from __future__ import annotations

import inspect
import tomllib
from pathlib import Path

from htp.cli.serve import serve

ROOT = Path(__file__).resolve().parents[2]


def test_the_app_listens_on_this_machine_alone():
    settings = tomllib.loads((ROOT / "app" / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["server"]["address"] == "localhost"


def test_the_service_listens_on_this_machine_alone_and_lets_no_other_site_in():
    usual = {name: parameter.default for name, parameter in inspect.signature(serve).parameters.items()}
    assert usual["host"] == "127.0.0.1"
    assert usual["allow_origin"] is None
    assert usual["share_heldout"] is False
