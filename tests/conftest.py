"""Offer cities that are checkable by hand, in a metric frame whose origin lies in La Serena.

`triangle`: three one-way roads, a 3-4-5 triangle driven at 10 m/s.

            C (300, 400)
          / |               road 0: A -> B, 300 m, 30 s, "Calle Uno"
       2 /  | 1             road 1: B -> C, 400 m, 40 s, "Calle Dos"
        /   |               road 2: C -> A, 500 m, 50 s, no name
       A -- B (300, 0)
     (0,0) 0

`grid`: 5 x 5 crossings 100 m apart, two-way streets, 80 roads. The node at column i (east) and row j (north) is
number 5 j + i. "Calle j" runs east-west along row j at 10 m/s, "Avenida i" north-south along column i at 10 m/s,
except "Avenida 2", the fast one at 20 m/s. Roads are numbered street by street, block by block, there and back:
Calle j's block i is road 8 j + 2 i (east) and 8 j + 2 i + 1 (west); Avenida i's block j is road 40 + 8 i + 2 j (north)
and 40 + 8 i + 2 j + 1 (south).

`random_trips` makes prepared trips along random walks through a city, `tiny_data` holds some of them in files, and
`tiny_checkpoint` a generator that was trained on those for a few seconds: whole, but it has hardly learned anything.
The workers of a run share both (`made_once`).

Hypothesis tries the same ten examples in every run; with HYPOTHESIS_PROFILE=thorough, as in `make test-all`, sixty new
ones.

`wheel` is built from what is tracked and not ignored by Docker, so neither needs anything else of a checkout.

`chromium` is the browser of the tests marked `browser`; without one they are skipped and the summary says so. With
HTP_REQUIRE_BROWSER=1, as in .ci/run, a skipped browser test fails the run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from multiprocessing import forkserver, get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from filelock import FileLock
from hypothesis import HealthCheck, settings

from htp.city.linear_referencing import RouteLines, lines_through
from htp.city.network import City
from htp.trips import write_trips

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.context import ForkServerContext

    from numpy.typing import NDArray

    from htp.language.prompt import PromptConditions

CRS = "EPSG:32719"
ORIGIN_M = np.array([283_000.0, 6_690_000.0])  # about 71.25 W, 29.90 S
TO_LONLAT = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
GRID = 5
BLOCK_M = 100.0

ANY_FIXTURE = [HealthCheck.function_scoped_fixture]  # what ours make, they make anew or never change
settings.register_profile("quick", max_examples=10, derandomize=True, deadline=None, suppress_health_check=ANY_FIXTURE)
settings.register_profile("thorough", max_examples=60, deadline=None, suppress_health_check=ANY_FIXTURE)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


class Street(NamedTuple):
    """One directed road between two nodes of a made-up city."""

    u: int
    v: int
    name: str | None
    speed_kmh: float = 36.0  # 10 m/s
    highway: str = "residential"


def lonlat_of(x_m: float, y_m: float) -> tuple[float, float]:
    """Return longitude and latitude of a place given in metres east and north of the origin."""
    lon, lat = TO_LONLAT.transform(ORIGIN_M[0] + x_m, ORIGIN_M[1] + y_m)
    return float(lon), float(lat)


def city_of(name: str, nodes: dict[int, tuple[float, float]], streets: list[Street]) -> City:
    """Return a city of straight roads between nodes given in metres east and north of the origin."""
    lonlat = {node: lonlat_of(*xy) for node, xy in nodes.items()}
    lines = [shapely.LineString([lonlat[s.u], lonlat[s.v]]) for s in streets]
    columns = {
        "road_id": np.arange(len(streets), dtype=np.int32),
        "u": np.array([s.u for s in streets], dtype=np.int64),
        "v": np.array([s.v for s in streets], dtype=np.int64),
        "osm_id": np.arange(len(streets), dtype=np.int64) + 1000,
        "name": [s.name for s in streets],
        "highway": [s.highway for s in streets],
        "length_m": [float(np.hypot(*np.subtract(nodes[s.v], nodes[s.u]))) for s in streets],
        "lanes": np.ones(len(streets), dtype=np.int8),
        "speed_kmh": [s.speed_kmh for s in streets],
    }
    roads = gpd.GeoDataFrame(columns, geometry=lines, crs="EPSG:4326")
    return City(name=name, timezone="America/Santiago", crs=CRS, source="made up", licence="CC0-1.0", roads=roads)


@pytest.fixture(scope="session", autouse=True)
def tables_of_paths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tables of paths that tests make out of the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("htp.city.matching.default_cache", lambda: tmp_path_factory.getbasetemp() / "paths")
        yield


@pytest.fixture(scope="session")
def place() -> Callable[[float, float], tuple[float, float]]:
    """(x, y) in metres of the toy frame -> (lon, lat)."""
    return lonlat_of


@pytest.fixture(scope="session")
def triangle() -> City:
    """Return the city of three roads drawn above."""
    nodes = {0: (0.0, 0.0), 1: (300.0, 0.0), 2: (300.0, 400.0)}
    return city_of("Triangle", nodes, [Street(0, 1, "Calle Uno"), Street(1, 2, "Calle Dos"), Street(2, 0, None)])


@pytest.fixture(scope="session")
def grid() -> City:
    """Return the city of 80 roads described above."""
    nodes = {GRID * j + i: (BLOCK_M * i, BLOCK_M * j) for j in range(GRID) for i in range(GRID)}
    streets: list[Street] = []
    for j in range(GRID):
        for i in range(GRID - 1):
            a, b = GRID * j + i, GRID * j + i + 1
            streets += [Street(a, b, f"Calle {j}"), Street(b, a, f"Calle {j}")]
    for i in range(GRID):
        speed_kmh, highway = (72.0, "primary") if i == 2 else (36.0, "residential")
        for j in range(GRID - 1):
            a, b = GRID * j + i, GRID * (j + 1) + i
            streets += [Street(x, y, f"Avenida {i}", speed_kmh, highway) for x, y in ((a, b), (b, a))]
    return city_of("Grid", nodes, streets)


def made_up_trips(city: City, points: Sequence[int], seed: int = 0) -> gpd.GeoDataFrame:
    """Return prepared trips with these numbers of points, every 15 s along random walks of some 3 m/s without U-turns.

    As preparation leaves them: the first point lies on the first road, the last on the last, none runs backwards.
    """
    rng = np.random.default_rng(seed)
    routes = [_random_walk(city, int(np.ceil(n * 0.45)), rng) for n in points]
    lines = RouteLines.of(city, routes)
    along_m, offset_m = [], []
    for row, n in enumerate(points):
        roads = slice(*lines.roads.first[row : row + 2])
        first_m = rng.uniform(0.1, 0.8) * lines.road_length_m[roads][0]
        last_m = lines.road_start_m[roads][-1] + rng.uniform(0.2, 0.9) * lines.road_length_m[roads][-1]
        steps = rng.gamma(1.0, size=n - 1) * (rng.random(n - 1) < 0.8)  # one in five: waiting
        along_m.append(first_m + (last_m - first_m) * np.r_[0.0, np.cumsum(steps) / steps.sum()])
        offset_m.append(np.cumsum(rng.normal(0, 1.0, (n, 2)), axis=0) * 0.3)
    row = np.repeat(np.arange(len(points)), points)
    along, offset = np.concatenate(along_m), np.concatenate(offset_m)
    lonlat = city.to_lonlat(lines.place(row, along) + offset)
    minutes = rng.integers(0, 7 * 24 * 60, len(points))
    starts = pd.Timestamp("2024-05-06", tz=city.timezone) + pd.to_timedelta(minutes, unit="min")
    columns = {
        "trip_id": [f"trip-{number}" for number in range(len(points))],
        "start_time": starts,
        "interval": np.full(len(points), 15.0, dtype=np.float32),
        "roads": routes,
        "percent": [(m / length).astype(np.float32) for m, length in zip(along_m, lines.length_m, strict=True)],
        "offset": [m.ravel().astype(np.float32) for m in offset_m],
    }
    return gpd.GeoDataFrame(columns, geometry=lines_through(lonlat, np.array(points)), crs="EPSG:4326")


def _random_walk(city: City, roads: int, rng: np.random.Generator) -> NDArray[np.int32]:
    walk = [int(rng.integers(len(city)))]
    follows = city.successors
    while len(walk) < roads:
        walk.append(int(rng.choice(follows.indices[follows.indptr[walk[-1]] : follows.indptr[walk[-1] + 1]])))
    return np.array(walk, dtype=np.int32)


@pytest.fixture(scope="session")
def random_trips() -> Callable[..., gpd.GeoDataFrame]:
    """(city, numbers of points, seed) -> prepared trips, see `made_up_trips`."""
    return made_up_trips


@pytest.fixture(scope="session")
def facts(grid: City) -> PromptConditions:
    """Return the conditions of five trips, of 3, 3, 5, 5 and 8 patterns."""
    from htp.language.prompt import PromptConditions  # noqa: PLC0415  brings torch

    points = np.array([20, 24, 33, 40, 57])
    trips = made_up_trips(grid, points, seed=2)
    length_m = [
        grid.length_m[roads].sum() * (p[-1] - p[0]) for roads, p in zip(trips["roads"], trips["percent"], strict=True)
    ]
    return PromptConditions(
        list(trips["roads"]),
        pd.DatetimeIndex(trips["start_time"]),
        points,
        np.array(length_m, dtype=float),
        np.full(len(points), 15.0),
        np.arange(len(points), dtype=np.int8),
    )


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """(name, what fills a folder) -> that folder, made by the first of a run's workers that asks; not to be changed."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        made = folder / "made" / name
        made.parent.mkdir(exist_ok=True)
        with FileLock(made.with_suffix(".lock")):
            if not made.exists():
                begun = made.with_suffix(".begun")
                shutil.rmtree(begun, ignore_errors=True)  # of a worker that failed
                begun.mkdir()
                fill(begun)
                begun.rename(made)
        return made

    return make


@pytest.fixture(scope="session")
def tiny_data(grid: City, made_once: Callable[..., Path]) -> Path:
    """Return a folder as `htp prepare` writes it, of trips through the grid, with the city's folder `city` in it."""

    def fill(folder: Path) -> None:
        grid.save(folder / "city")
        points = np.random.default_rng(1).integers(20, 60, 120)
        write_trips(made_up_trips(grid, points[:96], seed=2), folder / "train.parquet")
        write_trips(made_up_trips(grid, points[96:], seed=3), folder / "heldout.parquet")

    return made_once("data", fill)


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Train for a few steps what is trained for hundreds however few trips there are: offsets, the idea of anchors."""
    patch.setattr("htp.tokenizer.offsets_train.EPOCHS", 0)
    patch.setattr("htp.tokenizer.offsets_train.MIN_STEPS", 7)
    patch.setattr("htp.language.anchors.STEPS", 10)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hurry the trainings of a test, see `hurry`."""
    hurry(monkeypatch)


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_data: Path, made_once: Callable[..., Path]) -> Path:
    """Return a checkpoint trained on `tiny_data` by the functions behind `htp train`; copy it before changing it."""
    from htp.config import LanguageConfig, LanguageTraining, TokenizerConfig, TokenizerTraining  # noqa: PLC0415
    from htp.train import train_language, train_tokenizer  # noqa: PLC0415  brings torch

    def fill(folder: Path) -> None:
        sizes = TokenizerConfig(
            (4, 6, 8, 10), (16, 16, 16, 32), quantizer_dim=8, head_dim=16, road_dim=16, road_layers=1
        )
        built_in = LanguageConfig(hidden=32, layers=1, heads=2, kv_heads=1, intermediate=32, text_vocabulary=300)
        stage_1, stage_2 = TokenizerTraining(epochs=2, batch_size=32), LanguageTraining(epochs=1, batch_size=32)
        with pytest.MonkeyPatch.context() as patch:
            hurry(patch)
            train_tokenizer(tiny_data, tiny_data / "city", folder, sizes, stage_1, report=lambda _: None)
            train_language(tiny_data, folder, stage_2, config=built_in, report=lambda _: None)

    return made_once("checkpoint", fill)


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Return what starts processes: forked from one that has imported what trains and prepares, they begin at once."""
    context = get_context("forkserver")
    forkserver._forkserver._stop()  # one that a pool of a test before has started has imported less
    context.set_forkserver_preload(["htp.train", "htp.generate_files", "htp.prepare.pipeline", "sklearn.ensemble"])
    return context


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder with the real data, which lies beside a checkout and not in it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("the folder shared/ with the real data does not lie beside this checkout")
    return folder


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built offline in a folder of its own from what an image is built from as well."""
    root, source = Path(__file__).resolve().parents[1], tmp_path_factory.mktemp("source")
    lines = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    wanted = [line.removeprefix("!") for line in lines if line.startswith("!")]
    command = ["git", "ls-files", "-z", "--", *wanted]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    for name in listed.rstrip("\0").split("\0"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, source / name, follow_symlinks=False)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(source / "dist")]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True)
    [built] = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the Chromium to drive: the system's or Playwright's own."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed; run the tests by `make test`"
    )
    with sync_api.sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    if not Path(path).exists():
        pytest.skip("no Chromium on this machine; `make test` brings one where it can")
    return path


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have every worker begin with slow tests, those on a cluster first of all.

    A worker begins with so many tests in a row, and one without any takes the last ones of another: quick tests, so
    that all end together, and none on a cluster, so that one worker starts one cluster.
    """
    items.sort(key=lambda item: "two_workers" not in getattr(item, "fixturenames", ()))
    slow = [item for item in items if {"slow", "browser"} & {mark.name for mark in item.iter_markers()}]
    quick = [item for item in items if item not in slow]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = [item for worker in range(workers) for of in (slow, quick) for item in share(of, worker, workers)]


def share(items: list[pytest.Item], worker: int, workers: int) -> list[pytest.Item]:
    """Return the tests of a worker: as many in a row as the others get."""
    return items[len(items) * worker // workers : len(items) * (worker + 1) // workers]


def skipped_browser_tests(reporter: pytest.TerminalReporter | None) -> int:
    """Count the tests marked `browser` that were skipped."""
    skipped = reporter.stats.get("skipped", []) if reporter else []
    return sum("browser" in report.keywords for report in skipped)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run where browser tests were skipped although they are required."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("HTP_REQUIRE_BROWSER") == "1" and skipped_browser_tests(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it in words where browser tests were skipped."""
    if count := skipped_browser_tests(terminalreporter):
        required = os.environ.get("HTP_REQUIRE_BROWSER") == "1"
        ending = "; HTP_REQUIRE_BROWSER=1, so this run fails" if required else ""
        terminalreporter.write_sep("=", f"{count} browser tests SKIPPED, reasons below{ending}", red=True)
