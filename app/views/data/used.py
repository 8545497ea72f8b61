"""Show which city, checkpoint and backend a session uses, and the model card."""

from __future__ import annotations

import platform
import re
from importlib.metadata import version
from typing import TYPE_CHECKING

import streamlit as st

from htp.checkpoint import Checkpoint, all_shipped
from htp.city.credit import credit_text
from htp.workspace import about_city
from htp_app import model
from htp_app.backends import HERE
from htp_app.components.figures import figures
from htp_app.components.guard import no_service, other_backends, services, used
from htp_app.components.markup import escaped, without_pictures
from htp_app.views.data.choices import link_to_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from htp_app.model import Model

PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
PACKAGES = ("htp", "torch", "streamlit")
BACKENDS_HELP = (
    "The services that this app was started with, and this process. Another one is named at start, by "
    "`htp app --backend URL`: whoever uses the app may not make it ask any other address."
)


def in_use(served: Model) -> None:
    """Draw the facts and the card."""
    city, chosen = served.generator.city, model.chosen()
    heldout = f"{len(served.heldout):,} held out, never trained on" if len(served.heldout) else "none are given out"
    facts = {
        "City": f"{escaped(city.name)}<small>{len(city):,} roads, time zone {escaped(city.timezone)}</small>",
        "Checkpoint": _checkpoint(served),
        "Backend": _backend(served),
        "Trips": f"{escaped(served.real_word.capitalize())}<small>{heldout}</small>",
        "Versions": ", ".join(f"{name} {version(name)}" for name in PACKAGES)
        + f"<small>Python {escaped(platform.python_version())}</small>",
    }
    st.html(figures(facts.items(), "facts"))
    if chosen:
        st.html(
            f"<p class='facts'>Chosen for this browser session alone, by its link. "
            f"<a href='{link_to_checkpoint(None)}'>Use what the app was started with</a></p>"
        )
    if served.remote is None:
        _cities_that_ship(served)
    if services():
        st.markdown("##### Backends", help=BACKENDS_HELP)
        other_backends()
    st.markdown("##### Model card")
    with st.container(border=True, key="card"):
        card = card_of(served.checkpoint) if served.remote is None else plain_card(served.remote.card)
        st.markdown(card or "This checkpoint has no model card; `htp card --checkpoint C` writes one.")
    st.caption(without_pictures(credit_text(city.attribution)))


def _cities_that_ship(served: Model) -> None:
    """List the checkpoints that come with the app, with a link to use each."""
    st.markdown("##### Cities that come with the app", help="A link holds for this browser session alone.")
    rows = []
    for name, folder in all_shipped().items():
        own = folder.resolve() == served.checkpoint.resolve()
        link = "in use" if own else f"<a href='{link_to_checkpoint(name)}'>Use {escaped(name)}</a>"
        trips = "simulated trips" if Checkpoint(folder).simulated else "recorded trips"
        about = about_city(Checkpoint(folder).city)
        rows.append(f"<tr><th scope='row'>{escaped(about)}</th><td>{trips}</td><td>{link}</td></tr>")
    st.html(f"<table class='stored'><tbody>{''.join(rows)}</tbody></table>")


def not_in_use(problem: str) -> None:
    """Say why no model can be used, and what can be done about a service."""
    if services() and used() != HERE:
        no_service(problem)
        return
    st.error(without_pictures(problem), icon=":material/folder_off:")
    if services():
        other_backends()


def _checkpoint(served: Model) -> str:
    folder = served.checkpoint
    where = "with the service" if served.remote else str(folder.absolute())
    return f"{escaped(model.chosen() or folder.name)}<small>{escaped(where)}</small>"


def _backend(served: Model) -> str:
    if served.backend is not None and served.remote is not None:
        return f"Service<small>{escaped(served.backend.name)}, version {escaped(served.remote.version)}</small>"
    where = "in this process" + (f", on {served.device}" if served.device else "")
    return f"{escaped(where.capitalize())}<small>loaded once, shared by all who use this app</small>"


def card_of(folder: Path) -> str:
    """Return the card of a checkpoint's folder as `plain_card` does; nothing where there is none."""
    return plain_card(Checkpoint(folder).card_text)


def plain_card(text: str) -> str:
    """Return a card without its header, and without pictures, which might be asked of other machines."""
    if text.startswith("---\n") and "\n---\n" in text[4:]:
        text = text.split("\n---\n", 1)[1]
    return without_pictures(PICTURE.sub(r"\1", re.sub(r"^#(?=[# ])", "###", text.strip(), flags=re.MULTILINE)))
