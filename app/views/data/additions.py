"""Add a city or trips to the workspace by `htp city` and `htp prepare`, each in a process of its own."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from htp.errors import InputError
from htp.workspace import Kind, plain_name
from htp_app.jobs import command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from htp.city import City
    from htp.workspace import Workspace

    Progress = Callable[[int, int], None]

OPENSTREETMAP = (".osm.pbf", ".osm", ".osm.gz", ".osm.bz2", ".graphml", ".json", ".json.gz")
CENTRE_LINES = (".gpkg", ".geojson", ".geojsonl", ".parquet", ".geoparquet", ".fgb", ".zip")
ROADS = (
    *OPENSTREETMAP,
    *CENTRE_LINES,
)  # what `htp city` takes, but for places to fetch, folders and files beside others
TRIPS = (".csv", ".gpx", ".parquet")
MAX_UPLOAD_MB = 200  # an upload is held in memory; larger files are put into the workspace's folder `incoming`


@dataclass(frozen=True)
class Files:
    """Where the files to read come from: uploads, or names in the folder `incoming`."""

    uploads: Sequence[UploadedFile] = ()
    names: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.uploads or self.names)


@dataclass(frozen=True)
class Added:
    """What was added."""

    name: str
    said: str  # what the command printed


@dataclass(frozen=True)
class LineHints:
    """What a layer of centre lines does not say of itself, as far as the user says it; nothing where it is empty."""

    fields: str = ""  # role=NAME, a space between
    speed_unit: str = ""
    crs: str = ""
    layer: str = ""
    attribution: str = ""
    licence: str = ""

    def options(self) -> list[str]:
        """Return them as options of `htp city`."""
        single = {name.replace("_", "-"): text.strip() for name, text in vars(self).items() if name != "fields"}
        fields = [f"--field={pair}" for pair in self.fields.split()]
        return fields + [f"--{name}={text}" for name, text in single.items() if text]


def city_work(
    workspace: Workspace, name: str, files: Files, hints: LineHints | None = None
) -> Callable[[Progress], Added]:
    """Return what adds a city; `InputError` where the name cannot be used."""
    folder = workspace.new(Kind.city, name)
    options = (hints or LineHints()).options()
    return lambda progress: _run(workspace, files, ["city"], folder, options, progress)


def trips_work(
    workspace: Workspace, name: str, files: Files, city: str | City, interval_s: int | None
) -> Callable[[Progress], Added]:
    """Return what prepares trips for a city of the workspace or for any other; `InputError` where a name is wrong.

    `interval_s` None keeps the interval that most of the trips have.
    """
    folder = workspace.new(Kind.trips, name)
    known = workspace.existing(Kind.city, city).absolute() if isinstance(city, str) else None

    def work(progress: Progress) -> Added:
        with tempfile.TemporaryDirectory(prefix="htp-city-") as there:
            if isinstance(city, str):
                roads = str(known)
            else:  # a copy, as preparation writes its table of paths beside the roads
                roads = there
                city.save(there)
            options = ["--city", roads, *([] if interval_s is None else ["--interval", str(interval_s)])]
            return _run(workspace, files, ["prepare"], folder, options, progress)

    return work


def _run(
    workspace: Workspace, files: Files, verb: list[str], folder: Path, options: list[str], progress: Progress
) -> Added:
    """Run the command where its files are; uploads lie in a folder that goes with it."""
    incoming = workspace.incoming_folder()
    with tempfile.TemporaryDirectory(prefix=".upload-", dir=incoming) as there:
        at = Path(there) if files.uploads else incoming
        names = [plain_name(upload.name) for upload in files.uploads] or list(files.names)
        if len(set(names)) < len(names):
            raise InputError(f"two files are called {max(names, key=names.count)}; rename one of them.")
        for name, upload in zip(names, files.uploads, strict=False):
            (at / name).write_bytes(upload.getbuffer())
        said = command.run([*verb, *names, "--out", str(folder.absolute()), *options], at, progress)
    return Added(folder.name, said.replace(f"{folder.absolute()}: ", "").strip())
