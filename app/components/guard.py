"""Explain what is missing instead of an empty page: a generator, a service that answers, what a service cannot give."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import quote

import streamlit as st

from htp.errors import InputError
from htp_app import model
from htp_app.backends import HERE, KEY
from htp_app.components.heading import heading
from htp_app.components.markup import escaped, without_pictures
from htp_app.state import BACKEND, carried

if TYPE_CHECKING:
    from htp_app.backends import Backend
    from htp_app.model import Model


class Need(StrEnum):
    """What a page may need of the model beyond its trips, and what is said where it is missing."""

    heldout = (
        "This page compares with the held-out trips, and {name} does not give them out: they may be those of real "
        "people. Whoever runs the service can start it with `htp serve --share-heldout`."
    )
    networks = (
        "This page looks into the networks themselves, so it needs a model in this process; {name} is a service that "
        "gives trips and travel times alone."
    )


def lacking(served: Model, *needs: Need) -> bool:
    """Explain, instead of the page, which of its needs the model's service does not meet; return whether there is one.

    A model in this process has everything.
    """
    missing = [need for need in needs if need is not Need.heldout or not len(served.heldout)]
    if served.backend is None or not missing:
        return False
    with st.sidebar:
        heading(served, "What this page shows, the service in use does not give.")
    with st.container(key="guard"):
        st.markdown("## This page needs more than the service gives")
        st.info(missing[0].format(name=f"**{served.backend.name}**"), icon=":material/cloud:")
        other_backends(HERE)
    _keep_link()
    return True


def no_model(problem: str) -> None:
    """Say instead of a page why there is no model, and how to get one."""
    with st.container(key="guard"):
        if services() and used() != HERE:
            st.markdown("## The service cannot be used now")
            no_service(problem)
        else:
            st.markdown("## No generator to show yet")
            _no_checkpoint(problem)
            if services():
                other_backends()
    _keep_link()


def no_service(problem: str) -> None:
    """Say what is wrong with the service in use, how to get it going, and what can be used instead."""
    st.error(without_pictures(problem), icon=":material/cloud_off:")
    st.button("Try again", type="primary", icon=":material/refresh:")  # any run looks again: a failure is not kept
    st.markdown("A service is started by the command below, on the machine and port of its address.")
    st.code("htp serve --share-heldout", language="bash")
    st.markdown(f"If it has keys, put this app's own into the environment variable `{KEY}` and start the app anew.")
    other_backends()


def other_backends(*names: str) -> None:
    """Offer links that make this session use these backends; without names, every one but that in use."""
    names = names or tuple(name for name in (*(one.name for one in services()), HERE) if name != used())
    links = "".join(f"<li><a href='{link_to_backend(name)}'>Use {words_of(name)}</a></li>" for name in names)
    st.html(f"<ul class='backends'>{links}</ul>")


def services() -> tuple[Backend, ...]:
    """Return the services that the app was started with; none where it was started with what is no address."""
    try:
        return model.backends()
    except InputError:
        return ()


def used() -> str | None:
    """Return the name of the backend that this session uses; None where its link names one that is not there."""
    try:
        backend = model.chosen_backend()
    except InputError:
        return None
    return HERE if backend is None else backend.name


def words_of(name: str) -> str:
    """Return what pages call a backend, as HTML."""
    return "the model in this process" if name == HERE else f"the service {escaped(name)}"


def link_to_backend(name: str) -> str:
    """Return the link that makes a session use a backend, by its name."""
    return f"?{BACKEND}={quote(name, safe='')}"


def _no_checkpoint(problem: str) -> None:
    st.error(without_pictures(problem), icon=":material/folder_off:")
    st.markdown(
        "The app shows trips from a **checkpoint**: the folder of a trained generator with its city. "
        "Start it with the folder of one, or with none for the city that ships:"
    )
    st.code("htp app --checkpoint checkpoint", language="bash")
    st.markdown("To make one for your own city:")
    st.code(
        "htp city extract.osm.pbf --out city\n"
        "htp prepare trips.csv --city city --out data\n"
        "htp train tokenizer data --city city --out checkpoint\n"
        "htp train language data --checkpoint checkpoint",
        language="bash",
    )


def _keep_link() -> None:
    """Write what is in every link of this session into the URL, where the way here has taken it out."""
    for name, value in carried().items():
        if st.query_params.get(name) != value:
            st.query_params[name] = value
