"""Serve the app with the fake generator: `python tests/browser/serve_with_fake.py CITY_FOLDER PORT`."""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit.web import cli

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "app"))

from fake_generator import FakeGenerator  # noqa: E402

import htp_app.model  # noqa: E402
from htp.city import City  # noqa: E402


def main() -> None:
    """Put the fake in the loader's place and run the app as `htp app` does."""
    city, port = sys.argv[1:3]
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 0.02
    htp_app.model.load_generator = lambda folder: FakeGenerator(City.load(folder), seconds_per_trip=seconds)
    ours = ["--checkpoint", city, "--workspace", str(Path(city) / "workspace")]
    sys.argv = ["streamlit", "run", str(ROOT / "app" / "main.py"), "--server.port", port, "--", *ours]
    cli.main()


main()
