"""Put what people and services say into HTML: the one place that escapes it.

Names of cities, streets, zones, files and models come from whoever made them. Whatever of that goes into text that
`st.html` draws goes through `escaped`; `tests/app/components/test_markup.py` finds what goes past it.
"""

from __future__ import annotations

import html
import re


def escaped(value: object) -> str:
    """Return a value as text that no browser reads as markup, between tags or in a quoted attribute."""
    return html.escape(str(value), quote=True)


def as_text(value: object) -> str:
    """Return a value as Markdown that draws as it is written: every sign that may mean something is escaped."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", str(value))


def without_pictures(text: str) -> str:
    """Return a sentence or card for `st.error` and other Markdown, which would fetch a picture from where it says."""
    return text.replace("![", "!\\[")
