"""Load each generator once per process, and know what the app was started with and what a session has chosen.

A link's `?checkpoint=NAME` chooses a checkpoint of the workspace or one that ships, `?backend=NAME` a service that the
app was started with (`process`: this process), for this session alone; other people keep theirs.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import sys
import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import streamlit as st

from htp.checkpoint import Checkpoint, all_shipped, shipped
from htp.errors import InputError
from htp.evaluate.profile import Profile
from htp.workspace import DEFAULT, Kind, Workspace
from htp_app.backends import HERE, Backend, Remote, backends_of, key_of_environment
from htp_app.map.basemap import basemap
from htp_app.private import own_folder
from htp_app.state import BACKEND, CHECKPOINT

if TYPE_CHECKING:
    from htp.city import City
    from htp.client import Client
    from htp.generate import Generator
    from htp.planning.scenario.demand import TravelTimes
    from htp_app.map.table import PackedTable

_one_at_a_time = threading.Lock()  # two generations at once are slower together than one after the other


@dataclass(frozen=True)
class Model:
    """A generator and what the pages show beside its trips, computed once."""

    checkpoint: Path  # its folder; of a service's, where it is asked and what it is called there
    generator: Generator  # or what answers its calls for a service: `htp_app.backends.Remote`
    heldout: gpd.GeoDataFrame  # real trips, never trained on; none where a service keeps them to itself
    profile: Profile  # of the held-out trips
    basemap: PackedTable
    simulated: bool  # whether the trips that it learned from are
    backend: Backend | None = None  # None: this process

    @property
    def remote(self) -> Remote | None:
        """What asks the service; None for a generator in this process."""
        return self.generator if isinstance(self.generator, Remote) else None

    @property
    def travel_time(self) -> TravelTimes:
        """The travel-time model, for a page that is being drawn: soon or `InputError`."""
        return self.remote.soon if self.remote else self.generator.travel_time

    @property
    def first_day(self) -> dt.date:
        """A day to begin with: the first of the held-out trips, today where there are none."""
        if len(self.heldout):
            return cast("dt.date", self.heldout["start_time"].min().date())
        return dt.datetime.now(ZoneInfo(self.generator.city.timezone)).date()

    @property
    def real_word(self) -> str:
        """What the held-out trips are called."""
        return "simulated" if self.simulated else "real"

    @property
    def traffic(self) -> str:
        """What the trips were learned from."""
        return "simulated traffic" if self.simulated else "traffic"

    def turn(self) -> AbstractContextManager[object]:
        """Return what lets one generate after another in this process; a service shares itself out."""
        return _one_at_a_time if self.remote is None else nullcontext()

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
    """Return what `streamlit run app/main.py -- --checkpoint C --workspace W --backend URL` names."""
    parser = argparse.ArgumentParser(prog="app/main.py")
    parser.add_argument("--checkpoint", default=shipped(), help="folder of a trained generator")
    parser.add_argument("--workspace", default=DEFAULT, help="folder for what is added in the app")
    parser.add_argument("--private", action="store_true", help="what is added is seen in its own session alone")
    parser.add_argument("--backend", action="append", default=[], help="address of `htp serve`; may be given again")
    return parser.parse_args(arguments)


def checkpoint_of(arguments: list[str]) -> str:
    """Return the checkpoint that the app was started with."""
    return str(options_of(arguments).checkpoint)


def common_workspace() -> Workspace:
    """Return the folder that this process keeps checkpoints in, and what can be made again."""
    return Workspace(Path(options_of(sys.argv[1:]).workspace).absolute())


def workspace() -> Workspace:
    """Return the folder of cities and trips: everybody's, or this session's own where the app is private."""
    common = common_workspace()
    return Workspace(own_folder(common.folder)) if is_private() else common


def is_private() -> bool:
    """Return whether what is added is seen in its own session alone."""
    return bool(options_of(sys.argv[1:]).private)


def backends() -> tuple[Backend, ...]:
    """Return the services that the app was started with; the first of them is used where nobody chooses."""
    return backends_of(options_of(sys.argv[1:]).backend)


def chosen() -> str | None:
    """Return the checkpoint, of the workspace or one that ships, that this session's first link named; None: none."""
    return _of_link(CHECKPOINT)


def chosen_backend() -> Backend | None:
    """Return the service that this session uses, None for this process; `InputError` where its link names another.

    A checkpoint of the workspace is always used in this process.
    """
    name, there = _of_link(BACKEND), backends()
    if chosen() is not None or name == HERE:
        return None
    if name is None:
        return there[0] if there else None
    for backend in there:
        if backend.name == name:
            return backend
    names = ", ".join([*(backend.name for backend in there), HERE])
    raise InputError(f"the link's backend is none that this app was started with; there are: {names}.")


def current() -> Model:
    """Return the model that this session uses; `InputError` where its checkpoint or service cannot be used."""
    backend, name = chosen_backend(), chosen()
    if backend is not None:
        return load_service(backend)
    if name is None:
        return load_model(checkpoint_of(sys.argv[1:]))
    there = {entry.name for entry in common_workspace().entries(Kind.checkpoint)}
    if name not in there and name in all_shipped():
        return load_model(str(all_shipped()[name]))
    return load_model(str(common_workspace().existing(Kind.checkpoint, name)))


@st.cache_resource(show_spinner="Loading the city and its models …")
def load_model(checkpoint: str) -> Model:
    """Load a checkpoint with everything that the pages need of it."""
    generator = load_generator(checkpoint)
    folder = Path(checkpoint)
    return _model(folder, generator, generator.heldout(), simulated=Checkpoint(folder).simulated)


@st.cache_resource(show_spinner="Fetching the city from the service …")
def load_service(backend: Backend) -> Model:
    """Fetch from a service everything that the pages need; what fails is asked for again next time."""
    client = load_client(backend.url)
    remote = Remote(client)
    heldout = client.heldout() if client.model.get("heldout") else _no_trips(client.city)
    place = Path(backend.name) / str(client.model.get("name", "checkpoint"))
    simulated = client.model.get("simulated") is True
    return _model(place, cast("Generator", remote), heldout, simulated=simulated, backend=backend)


def load_generator(checkpoint: str) -> Generator:
    """Load the generator; the import of PyTorch waits until here, so that the page's frame appears first.

    PyTorch gets one thread for all else: what it computes for pages is small, and threads that wait for each other are
    slow where pictures and the browser want a core as well.
    """
    from htp.generate import Generator, use_one_thread  # noqa: PLC0415

    generator = Generator.load(checkpoint)  # a worker on each core
    use_one_thread()
    return generator


def load_client(url: str) -> Client:
    """Reach a service, with the key of the environment."""
    from htp.client import Client  # noqa: PLC0415  needs httpx, which is no part of what the app alone needs

    return Client(url, key=key_of_environment())


def _model(
    place: Path, generator: Generator, heldout: gpd.GeoDataFrame, *, simulated: bool, backend: Backend | None = None
) -> Model:
    city = generator.city
    city.snap(*city.roads.geometry.iloc[0].coords[0])  # builds the search for routes now: the first click need not wait
    profile = Profile.of(heldout, city) if len(heldout) else _NO_PROFILE
    model = Model(place, generator, heldout, profile, basemap(city), simulated, backend)
    gc.collect()
    gc.freeze()  # what stays is not looked through after each run: 0.34 s in which no other thread goes on
    return model


def _no_trips(city: City) -> gpd.GeoDataFrame:
    starts = pd.DatetimeIndex([], tz=city.timezone)
    columns = {"trip_id": [], "start_time": starts, "interval": [], "roads": [], "percent": []}
    return gpd.GeoDataFrame(columns, geometry=[], crs="EPSG:4326")


def _of_link(name: str) -> str | None:
    """Return what this session's first link gave a name."""
    if name not in st.session_state:
        st.session_state[name] = st.query_params.get(name, "")
    return st.session_state[name] or None


_NO_PROFILE = Profile(np.zeros(1, np.int64), *(np.zeros(0) for _ in range(3)))
