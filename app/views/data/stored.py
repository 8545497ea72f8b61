"""List what is in the workspace, and show the commands that train on it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import streamlit as st

from htp.checkpoint import Checkpoint
from htp.workspace import Kind
from htp_app import model
from htp_app.components.markup import escaped
from htp_app.views.data.choices import link_to_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from htp.workspace import Entry, Workspace

TITLES = {Kind.city: "Cities", Kind.trips: "Prepared trips", Kind.checkpoint: "Checkpoints"}
NOTHING = {
    Kind.city: "None yet: add one from an OpenStreetMap extract or centre lines.",
    Kind.trips: "None yet: add trips for a city.",
    Kind.checkpoint: "None yet: train one (see Train), with the folder checkpoints as its --out.",
}
COMMANDS = (
    "htp train tokenizer {0} --city {1} --out {2} --minutes 30\n"
    "htp train language {0} --checkpoint {2} --minutes 60\n"
    "htp card --checkpoint {2}"
)


def stored(workspace: Workspace) -> None:
    """Draw a table of each kind."""
    workspace_line(workspace)
    for kind in Kind:
        st.markdown(f"##### {TITLES[kind]}")
        entries = workspace.entries(kind)
        if entries:
            st.html(_table(entries))
        else:
            st.caption(NOTHING[kind])


def workspace_line(workspace: Workspace) -> None:
    """Say where everything is kept and how that is changed."""
    if model.is_private():
        st.markdown(
            ":material/lock: What is added here is seen in this browser tab alone, until it is closed or loaded anew.",
            help="The app was started with `--private`.",
        )
        return
    st.markdown(
        f":material/folder: Everything that is added here is kept in `{workspace.folder}`, and seen by all who use "
        "this app.",
        help="Another folder: start the app with `htp app --workspace FOLDER`; each session its own: `--private`.",
    )


def _table(entries: list[Entry]) -> str:
    heads = ("Name", "What", "Last changed (UTC)", "Size", "")
    head = "".join(f"<th scope='col'>{text}</th>" for text in heads)
    rows = "".join(
        f"<tr><th scope='row'>{escaped(entry.name)}</th><td>{escaped(entry.about)}</td>"
        f"<td>{entry.changed:%Y-%m-%d %H:%M}</td><td>{_size(entry.size)}</td><td>{_state(entry)}</td></tr>"
        for entry in entries
    )
    return f"<table class='stored'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _state(entry: Entry) -> str:
    if not entry.whole:
        return "unfinished"
    if entry.kind is not Kind.checkpoint:
        return ""
    if entry.name == model.chosen():
        return "in use"
    return f"<a href='{link_to_checkpoint(entry.name)}'>Use {escaped(entry.name)}</a>"


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:,.1f} kB"


def training(workspace: Workspace, trips: str | None, city: str | None, used: Path) -> None:
    """Show the commands that make a checkpoint of prepared trips; without a city, of that of the checkpoint `used`."""
    st.markdown(
        "Training takes minutes to hours and all cores, so it is not started from the app. Run these commands in a "
        "terminal; a training can be stopped with Ctrl-C and goes on when it is run again. The finished checkpoint "
        "appears in the list of the workspace, with a link to use it."
    )
    data = workspace.folder / Kind.trips.value / (trips or "TRIPS")
    roads = workspace.folder / Kind.city.value / city if city else Checkpoint(used.absolute()).city
    out = workspace.folder / Kind.checkpoint.value / (trips or "NAME")
    names = [shlex.quote(str(path)) for path in (data, roads, out)]
    st.code(COMMANDS.format(*names), language="bash", wrap_lines=True)
    st.caption("With few trips, start from a tokenizer that is there: add `--from CHECKPOINT` to the first command.")
