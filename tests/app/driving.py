"""Drive a page of the app without a browser, and read what it says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from streamlit.testing.v1 import AppTest

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS, ROUND_S = 600, 0.05  # of waiting for work in the background


def opened(view: Path, **link: str) -> AppTest:
    """Open a page by a link and run it once."""
    page = AppTest.from_file(str(view), default_timeout=60)
    for parameter, value in link.items():
        page.query_params[parameter] = value
    return page.run()


def finished(page: AppTest, *jobs: str) -> AppTest:
    """Run the page until its work in the background, kept in the session under these names, has ended."""
    for _ in range(ROUNDS):
        if not any(job in page.session_state for job in jobs):
            return page
        time.sleep(ROUND_S)
        page.run()
    raise AssertionError("the work did not end")


def query(page: AppTest) -> dict[str, str]:
    """Return the parameters of the page's URL, which AppTest holds as texts or as lists of one text."""
    return {name: value if isinstance(value, str) else value[0] for name, value in page.query_params.items()}


def sentences(page: AppTest) -> str:
    """Return everything that the page says in messages."""
    return " ".join(message.value for kind in (page.error, page.toast, page.caption) for message in kind)


def labels(page: AppTest) -> list[str]:
    """Return what stands on the page's buttons."""
    return [button.label for button in page.button]


def told(page: AppTest, kind: str, key: str) -> object:
    """Return the value that the last run gave a widget: all that a browser knows which has drawn no run before."""
    return getattr(page, kind)(key=key).proto.default
