"""Show small pictures side by side, each a button: a click or the Enter key chooses one.

A Streamlit component without a library; its pictures are SVG in the theme's colours, and stay when another is chosen.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "htp_gallery",
    css=(_HERE / "gallery.css").read_text(encoding="utf-8"),
    js=(_HERE / "gallery.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Tile:
    """One picture and its words."""

    code: int  # what the callback is told
    title: str
    note: str
    share: float  # 0 to 1, of the bar under the title
    svg: str
    help: str  # said by the mouse and by screen readers


def gallery(key: str, tiles: Sequence[Tile], chosen: int | None, height: str, on_choose: Callable[[int], None]) -> None:
    """Draw the tiles, the chosen one marked; `on_choose` is called with a code before the run that follows a click."""

    def changed() -> None:
        code = st.session_state[key].get("chosen")
        if code is not None:
            on_choose(int(code))

    plain = [asdict(tile) for tile in tiles]
    version = hashlib.blake2s(repr(plain).encode(), digest_size=8).hexdigest()
    data = {"tiles": plain, "version": version, "chosen": chosen, "height": height}
    _component(key=key, data=data, on_chosen_change=changed)
