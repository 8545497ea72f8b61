"""Write text into tables so that no spreadsheet computes it (OWASP: CSV injection)."""

from __future__ import annotations

import re

# how text begins that a spreadsheet computes, full-width letters as in Japanese ones; -5 is a number
FORMULA = re.compile(r"[=@＝＠]|[+\-＋－](?![\d.]+$)")


def plain_cell(text: str) -> str:
    """Return text as one line, with an apostrophe in front where it would be a formula, which makes it text.

    Leading spaces go, for some programs pass over them, and so do breaks: pandas does not quote a carriage return.
    """
    line = re.sub(r"[\t\r\n]+", " ", text).strip()
    return f"'{line}" if FORMULA.match(line) else line
