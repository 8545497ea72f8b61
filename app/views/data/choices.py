"""What is looked at on the page Data and models, and its link."""

from __future__ import annotations

from dataclasses import dataclass

from htp.errors import InputError
from htp.workspace import NAME
from htp_app.links import Linked, LinkType, linked, one_of
from htp_app.state import CHECKPOINT

USED, STORED, ADD_CITY, ADD_TRIPS, TRAIN = "used", "stored", "add-city", "add-trips", "train"
PARTS = {USED: "In use", STORED: "Workspace", ADD_CITY: "Add a city", ADD_TRIPS: "Add trips", TRAIN: "Train"}


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise InputError("it takes a name of the workspace")
    return text


NAME_OF_WORKSPACE = LinkType(_name)


@dataclass(frozen=True)
class DataChoices(Linked):
    """What is looked at of data and models."""

    part: str = linked("part", one_of(*PARTS), USED)
    trips: str | None = linked("trips", NAME_OF_WORKSPACE, None)  # prepared, whose report is shown or to train on
    city: str | None = linked("city", NAME_OF_WORKSPACE, None)  # of the workspace; None: the one in use


def link_to_checkpoint(name: str | None) -> str:
    """Return the link that makes a session use a checkpoint of the workspace; None: that of the start."""
    return f"?{CHECKPOINT}={name}" if name else "?"
