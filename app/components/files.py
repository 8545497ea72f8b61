"""Offer what a page shows as files."""

from __future__ import annotations

import mimetypes
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from htp.trips import write_trips

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import geopandas as gpd

FORMATS = {"GeoParquet": ".parquet", "GeoJSON": ".geojson", "GPX": ".gpx", "CSV": ".csv"}


def format_choice(key: str, formats: Iterable[str] = FORMATS, label: str = "Download as") -> str:
    """Ask for a format."""
    # all in sight: of a list that drops down, the first click just after the trips came left it closed
    return st.radio(label, list(formats), key=key, horizontal=True)


def download(
    label: str,
    content: str | Callable[[], bytes],
    name: str,
    *,
    disabled: bool = False,
    icon: str = "download",
    help_text: str | None = None,
) -> None:
    """Offer a file of this name; its content is made when somebody asks for it."""
    kind = mimetypes.guess_type(name)[0]
    st.download_button(
        label,
        content,
        name,
        kind,
        on_click="ignore",
        icon=f":material/{icon}:",
        width="stretch",
        disabled=disabled,
        help=help_text,
    )


def file_bytes(trips: gpd.GeoDataFrame, ending: str) -> bytes:
    """Return trips as a file of the format with this ending."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"trips{ending}"
        write_trips(trips, path)
        return path.read_bytes()
