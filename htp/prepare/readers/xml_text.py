"""Make text that a strict XML parser reads of the bytes that devices and web sites write.

Honoured is the encoding that a byte order mark or the first line declares; what is no UTF-8 though it says so was
written by Windows or in Latin 1. A bare `&` is one. Entities are never declared: they could grow, or read other files.
"""

from __future__ import annotations

import codecs
import re

from htp.prepare.readers.layout import LEGACY, MARKS

DECLARED = re.compile(rb"""^\s*<\?xml[^>]*\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)")
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


def xml_text(content: bytes) -> str:
    """Return the document as text without its declarations; `ValueError` where it declares entities."""
    text = FORBIDDEN.sub("\ufffd", _decoded(content).removeprefix("\ufeff"))
    text = re.sub(r"^\s*<\?xml[^>]*\?>", lambda found: "\n" * found[0].count("\n"), text)  # lines keep their numbers
    doctype = re.search(r"<!DOCTYPE[^>\[]*([>\[])", text)
    if doctype:
        if doctype[1] == "[":
            raise ValueError("it declares entities")
        text = text[: doctype.start()] + text[doctype.end() :]
    return BARE.sub("&amp;", text)


def _decoded(content: bytes) -> str:
    for mark, name in MARKS.items():
        if content.startswith(mark):
            return content.decode(name, "replace")
    declared = DECLARED.match(content[:200])
    for name in (declared[1].decode() if declared else "utf-8", "utf-8"):
        try:
            if codecs.lookup(name).name not in ("utf-16", "utf-32"):  # without a mark it is neither
                return content.decode(name)
        except (UnicodeDecodeError, LookupError):
            pass
    return content.decode(LEGACY, "replace")
