"""Show a few figures side by side, each with its name and a note."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def figures(cells: Iterable[tuple[str, str] | tuple[str, str, str]], kind: str = "") -> str:
    """Return names, values and notes, all HTML, as HTML; `kind` is a class of app.css."""
    items = "".join(
        f"<div><span>{name}</span><b>{value}</b>{''.join(f'<small>{note}</small>' for note in notes)}</div>"
        for name, value, *notes in cells
    )
    return f"<div class='{f'figures {kind}'.strip()}'>{items}</div>"
