"""Keep what a person adds for that person's session alone, where the app was started with `--private`.

A session begins with each browser tab and each reload. Nobody else can name its folder, and links do not hold it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from typing import TYPE_CHECKING

import streamlit as st

from htp.workspace import Kind

if TYPE_CHECKING:
    from pathlib import Path

SESSION = "private-workspace"  # in the session
SESSIONS = "sessions"  # in the workspace that the app was started with
KEPT_S = 24 * 3600.0  # after a session was last seen; ours


def own_folder(common: Path) -> Path:
    """Return the folder of this session, which is not made before something is put into it."""
    if SESSION not in st.session_state:
        sweep(common)
        st.session_state[SESSION] = secrets.token_hex(16)
    folder = common / SESSIONS / st.session_state[SESSION]
    if folder.is_dir():
        os.utime(folder)
    return folder


def sweep(common: Path) -> None:
    """Remove what sessions have left that were not seen for a day; a folder somebody trains in stays."""
    there = common / SESSIONS
    for folder in there.iterdir() if there.is_dir() else ():
        left = folder.is_dir() and not folder.is_symlink() and not (folder / Kind.checkpoint.value).exists()
        if left and time.time() - folder.stat().st_mtime > KEPT_S:
            shutil.rmtree(folder, ignore_errors=True)
