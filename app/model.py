"""Load each generator once per process, and know what the app was started with and what a session has chosen.

A link's `?checkpoint=NAME` chooses a checkpoint of the workspace, for this session alone; other people keep theirs.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.components.map.basemap import basemap
from app.state import CHECKPOINT
from htp.checkpoint import Checkpoint
from htp.evaluate.profile import Profile
from htp.workspace import DEFAULT, Kind, Workspace

if TYPE_CHECKING:
    import geopandas as gpd

    from app.components.map.table import Table
    from htp.generate import Generator

DEFAULT_CHECKPOINT = "checkpoints/coquimbo"


@dataclass(frozen=True)
class Model:
    """A generator and what the pages show beside its trips, computed once."""

    checkpoint: Path
    generator: Generator
    heldout: gpd.GeoDataFrame  # real trips, never trained on
    profile: Profile  # of the held-out trips
    basemap: Table
    simulated: bool  # whether the trips that it learned from are

    @property
    def real_word(self) -> str:
        """What the held-out trips are called."""
        return "simulated" if self.simulated else "real"

    @property
    def traffic(self) -> str:
        """What the trips were learned from."""
        return "simulated traffic" if self.simulated else "traffic"

    @property
    def device(self) -> str | None:
        """What the trips are generated on; None where the generator does not say."""
        device = getattr(getattr(self.generator, "tokenizer", None), "device", None)
        return None if device is None else str(device)

    @property
    def badge(self) -> str | None:
        """What every picture of these trips says."""
        return "Simulated data" if self.simulated else None


def options_of(arguments: list[str]) -> argparse.Namespace:
    """Return what `streamlit run app/main.py -- --checkpoint C --workspace W` names."""
    parser = argparse.ArgumentParser(prog="app/main.py")
    parser.add_argument("--checkpoint", default=DEFAULT_CHECKPOINT, help="folder of a trained generator")
    parser.add_argument("--workspace", default=DEFAULT, help="folder for what is added in the app")
    return parser.parse_args(arguments)


def checkpoint_of(arguments: list[str]) -> str:
    """Return the checkpoint that the app was started with."""
    return str(options_of(arguments).checkpoint)


def workspace() -> Workspace:
    """Return the folder that this process keeps cities, trips and checkpoints in."""
    return Workspace(Path(options_of(sys.argv[1:]).workspace).absolute())


def chosen() -> str | None:
    """Return the checkpoint of the workspace that this session's first link named; None: that of the start."""
    if CHECKPOINT not in st.session_state:
        st.session_state[CHECKPOINT] = st.query_params.get(CHECKPOINT, "")
    return st.session_state[CHECKPOINT] or None


def current() -> Model:
    """Return the model that this session uses; `InputError` where its checkpoint cannot be used."""
    name = chosen()
    if name is None:
        return load_model(checkpoint_of(sys.argv[1:]))
    return load_model(str(workspace().existing(Kind.checkpoint, name)))


@st.cache_resource(show_spinner="Loading the city and its models …")
def load_model(checkpoint: str) -> Model:
    """Load a checkpoint with everything that the pages need of it."""
    generator = load_generator(checkpoint)
    heldout = generator.heldout()
    city = generator.city
    city.snap(*city.roads.geometry.iloc[0].coords[0])  # builds the search for routes now: the first click need not wait
    folder = Path(checkpoint)
    return Model(folder, generator, heldout, Profile.of(heldout, city), basemap(city), Checkpoint(folder).simulated)


def load_generator(checkpoint: str) -> Generator:
    """Load the generator; the import of PyTorch waits until here, so that the page's frame appears first."""
    from htp.generate import Generator  # noqa: PLC0415

    return Generator.load(checkpoint)
