"""Show which city, checkpoint and backend a session uses, and the model card."""

from __future__ import annotations

import html
import platform
import re
from importlib.metadata import version
from typing import TYPE_CHECKING

import streamlit as st

from app import model
from app.evaluation_choices import link_to_checkpoint
from htp.checkpoint import Checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from app.model import Model

PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
PACKAGES = ("htp", "torch", "streamlit")


def in_use(served: Model) -> None:
    """Draw the facts and the card."""
    city, chosen = served.generator.city, model.chosen()
    folder = served.checkpoint
    where = "in this process" + (f", on {served.device}" if served.device else "")
    facts = {
        "City": f"{city.name}<small>{len(city):,} roads, time zone {city.timezone}</small>",
        "Checkpoint": f"{html.escape(chosen or folder.name)}<small>{html.escape(str(folder.absolute()))}</small>",
        "Backend": f"{html.escape(where.capitalize())}<small>loaded once, shared by all who use this app</small>",
        "Trips": f"{served.real_word.capitalize()}<small>{len(served.heldout):,} held out, never trained on</small>",
        "Versions": ", ".join(f"{name} {version(name)}" for name in PACKAGES)
        + f"<small>Python {platform.python_version()}</small>",
    }
    items = "".join(f"<div><span>{name}</span><b>{text}</b></div>" for name, text in facts.items())
    st.html(f"<div class='figures facts'>{items}</div>")
    if chosen:
        st.html(
            f"<p class='facts'>Chosen for this browser session alone, by its link. "
            f"<a href='{link_to_checkpoint(None)}'>Use the checkpoint that the app was started with</a></p>"
        )
    st.markdown("##### Model card")
    with st.container(border=True, key="card"):
        st.markdown(card_of(folder) or "This checkpoint has no model card; `htp card --checkpoint C` writes one.")
    st.caption("Roads: © OpenStreetMap contributors.")


def card_of(folder: Path) -> str:
    """Return the card without its header, and without pictures, which might be asked of other machines."""
    card = Checkpoint(folder).card
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    if text.startswith("---\n") and "\n---\n" in text[4:]:
        text = text.split("\n---\n", 1)[1]
    return PICTURE.sub(r"\1", re.sub(r"^#(?=[# ])", "###", text.strip(), flags=re.MULTILINE))
