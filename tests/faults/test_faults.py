"""Kill the work or fill the disk: half a file never looks whole, and the same command then gives the same result.

The table of faults in docs/reliability.md says which of these tests shows what.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from contextlib import suppress

import doing
import numpy as np
import pytest
from doing import Full, Kill

from htp.checkpoint import MANIFEST, Checkpoint
from htp.errors import InputError
from htp.generate import Generator, load_tokenizer
from htp.language.language import Language
from htp.trips import Route

REPORT = "doing:report"
NOT_THE_SAME = {MANIFEST, "training.jsonl"}  # the list of what is there, and a log that tells of the fault
HELDOUT = "heldout.parquet"
NO_ROOM = re.compile(
    r"(\S+: )?could not be written \((File too large|PyTorch could not write on)\); "
    r"make room on the disk, then run the command again\."
)
pytestmark = pytest.mark.slow


def content(folder):
    """Return the bytes of every file that is not hidden, by name."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in NOT_THE_SAME)
    found = {str(path.relative_to(folder)): path for path in files}
    return {name: path.read_bytes() for name, path in found.items() if not any(p[0] == "." for p in name.split("/"))}


@pytest.fixture(scope="session")
def whole(processes, made_once):
    """Return what does work without a fault, once a name, in a folder that is the work's last argument."""

    def make(name, work, *arguments):
        def fill(out):
            process = processes.Process(target=work, args=(*arguments, out / name))
            process.start()
            process.join()
            assert process.exitcode == 0

        return made_once(f"whole-{name}", fill) / name

    return make


@pytest.fixture(scope="session")
def trained(whole, tiny_data):
    """Return a checkpoint that was trained without a fault."""
    out = whole("trained", doing.train, tiny_data)
    Checkpoint(out).verify()
    return out


def cases(every_time, thoroughly):
    """Return the cases of a test: one fault a kind and stage in every run, the others in `make test-all`."""
    first = [pytest.param(*case, id=name) for name, case in every_time.items()]
    return first + [pytest.param(*case, id=name, marks=pytest.mark.thorough) for name, case in thoroughly.items()]


LOADED = {  # what reads a stage of a checkpoint, and says where it is none
    "tokenizer": load_tokenizer,
    "language": lambda folder: Language.load(folder / "language", load_tokenizer(folder).model.roads.described),
    "routes": lambda folder: Generator.load(folder, "cpu").route_generator(),
}
TRAINING = {
    "tokenizer, its state half written": ("tokenizer", Kill("torch:save", 2, half=True)),
    "tokenizer, disk full": ("tokenizer", Full(100_000, "htp.tokenizer.tokenizer:Tokenizer.save")),
    "language, its state half written": ("language", Kill("torch:save", 2, half=True)),
    "language, disk full at its state": ("language", Full(30_000, "htp.train:fit")),
    "routes, half written": ("routes", Kill("htp.compute.weights:save_file", half=True)),
    "routes, disk full at its state": ("routes", Full(5000, "htp.compute.training_loop:TrainingLoop._save")),
}
MORE_TRAINING = {
    "tokenizer, between steps": ("tokenizer", Kill(REPORT, 2)),
    "tokenizer, half written": ("tokenizer", Kill("htp.compute.weights:save_file", half=True)),
    "tokenizer, manifest not written": ("tokenizer", Kill("htp.checkpoint:_describe", 3)),
    "tokenizer, disk full at once": ("tokenizer", Full(100)),
    "tokenizer, disk full at its state": ("tokenizer", Full(100_000, "torch:save", 2)),
    "language, between steps": ("language", Kill("htp.language.model:LanguageModel.forward", 3)),
    "language, half written": ("language", Kill("htp.compute.weights:save_file", half=True)),
    "language, without its facts": ("language", Kill("htp.language.language:replacing")),
    "language, manifest not written": ("language", Kill("htp.checkpoint:_describe", 7)),
    "language, disk full": ("language", Full(30_000, "htp.language.language:Language.save")),
    "language, disk full at the manifest": ("language", Full(1000, "htp.checkpoint:Checkpoint.seal")),
}


@pytest.fixture
def begun(trained, tmp_path):
    """Return a function that makes a checkpoint of the stages before one."""

    def make(stage):
        out = tmp_path / "checkpoint"
        later = {"tokenizer": None, "language": {*doing.STAGES[1:], "conditions", HELDOUT}, "routes": {"routes"}}[stage]
        if later is not None:
            shutil.copytree(trained, out, ignore=lambda folder, _: later if folder == str(trained) else set())
            Checkpoint(out).seal()
        return out

    return make


@pytest.mark.parametrize(("stage", "fault"), cases(TRAINING, MORE_TRAINING))
def test_a_training_with_a_fault_ends_where_one_without_ends(meet, begun, trained, tiny_data, stage, fault):
    out, all_of_it = begun(stage), content(trained)
    heard = meet(fault, doing.train, tiny_data, out, (stage,))
    assert heard == "killed" if isinstance(fault, Kill) else NO_ROOM.fullmatch(heard), heard
    with suppress(InputError):  # where it looks whole it is
        LOADED[stage](out)
        assert content(out / stage) == content(trained / stage)
    assert meet(None, doing.train, tiny_data, out, (stage,)) == "done"
    Checkpoint(out).verify()
    assert (out / stage).is_dir()
    assert content(out) == {name: all_of_it[name] for name in content(out)}
    if stage == "language":
        assert travel_times_s(out) == travel_times_s(trained)


def travel_times_s(checkpoint):
    """Return the travel times that a checkpoint's model gives a route."""
    generator = Generator.load(checkpoint, "cpu")
    route, depart = Route(np.array([0, 2], dtype=np.int32)), generator.city.local_time("2024-05-06 08:15")
    return generator.travel_time.quantiles(generator.city, [route], [depart]).tolist()


@pytest.fixture(scope="session")
def raw(grid, place, made_once):
    """Return a file in Porto's layout of 24 trips round the grid, and the city."""
    corners = np.array([(10, 0), (400, 0), (400, 400), (0, 400), (0, 100)], dtype=float)
    lengths = np.r_[0, np.cumsum(np.hypot(*np.diff(corners, axis=0).T))]
    along = 70.0 * np.arange(20)
    points = [place(*(np.interp(at, lengths, axis) for axis in corners.T)) for at in along]
    line = json.dumps(points, separators=(",", ":"))
    rows = [f'T{k},{1_714_996_800 + 60 * k},False,"{line}"' for k in range(24)]

    def fill(folder):
        (folder / "trips.csv").write_text("\n".join(["TRIP_ID,TIMESTAMP,MISSING_DATA,POLYLINE", *rows, ""]))
        grid.save(folder / "city")

    folder = made_once("raw", fill)
    return folder / "trips.csv", folder / "city"


@pytest.fixture
def prepared(whole, raw, tmp_path):
    """Return the tables that preparation without a fault writes; what it keeps for the next is there for the test's."""
    out = whole("prepared", doing.prepare, *raw)
    shutil.copytree(out.parent / "cache", tmp_path / "cache")
    return tables(out)


def tables(folder):
    return {name: (folder / name).read_bytes() for name in ("train.parquet", "heldout.parquet")}


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_preparation_that_is_killed_leaves_no_process_and_goes_on(meet, raw, prepared, tmp_path):
    pids = tmp_path / "pids.txt"
    assert meet(Kill(REPORT, 2), doing.prepare, *raw, tmp_path / "out", pids) == "killed"
    assert not list((tmp_path / "out").glob("*.parquet"))
    made = len(list((tmp_path / "out").glob("parts-*/*.json")))
    assert made >= 2
    until = time.monotonic() + 60
    workers = [int(pid) for pid in pids.read_text().split()]
    assert workers
    while any(map(is_running, workers)):
        assert time.monotonic() < until, "a worker is still there"
        time.sleep(0.1)
    assert meet(None, doing.prepare, *raw, tmp_path / "out") == "done"
    assert tables(tmp_path / "out") == prepared


def test_preparation_that_loses_its_worker_says_so_and_goes_on(meet, raw, prepared, tmp_path):
    heard = meet(None, doing.prepare_losing_the_worker, *raw, tmp_path / "out")
    assert "a worker process was ended by the system" in heard
    assert meet(None, doing.prepare, *raw, tmp_path / "out") == "done"
    assert tables(tmp_path / "out") == prepared


def test_preparation_on_a_full_disk_says_so_and_goes_on(meet, raw, prepared, tmp_path):
    heard = meet(Full(1000), doing.prepare, *raw, tmp_path / "out")
    assert NO_ROOM.fullmatch(heard)
    assert not list((tmp_path / "out").glob("*.parquet"))
    assert meet(None, doing.prepare, *raw, tmp_path / "out") == "done"
    assert tables(tmp_path / "out") == prepared


KILL, DISK = Kill("pathlib:Path.replace"), Full(1000)
FILE = {"kill, .parquet": (KILL, ".parquet"), "disk, .csv": (DISK, ".csv")}
MORE_FILE = {"kill, .csv": (KILL, ".csv"), "disk, .parquet": (DISK, ".parquet")}


@pytest.mark.parametrize(("fault", "ending"), cases(FILE, MORE_FILE))
def test_a_file_of_trips_is_whole_or_not_there(meet, tiny_checkpoint, tiny_data, tmp_path, fault, ending):
    like, out = tiny_data / "heldout.parquet", tmp_path / f"trips{ending}"
    heard = meet(fault, doing.generate, tiny_checkpoint, like, out)
    assert heard == "killed" or NO_ROOM.fullmatch(heard)
    assert not out.exists()
    assert meet(None, doing.generate, tiny_checkpoint, like, out) == "done"
    whole = tmp_path / f"whole{ending}"
    assert meet(None, doing.generate, tiny_checkpoint, like, whole) == "done"
    assert out.read_bytes() == whole.read_bytes()


PARTS = {
    "before a part has its name": (Kill("fsspec.implementations.local:LocalFileSystem.mv", 3),),
    "disk full": (Full(2000),),
}
MORE_PARTS = {
    "between parts": (Kill(REPORT, 2),),
    "before the manifest has its name": (Kill("fsspec.implementations.local:LocalFileSystem.mv", 1),),
}


@pytest.mark.parametrize("fault", cases(PARTS, MORE_PARTS))
def test_parts_are_made_once_whatever_happens(meet, whole, tiny_checkpoint, tiny_data, tmp_path, fault):
    like, out = tiny_data / "heldout.parquet", tmp_path / "day"
    parts = whole("parts", doing.generate_parts, tiny_checkpoint, like)
    heard = meet(fault, doing.generate_parts, tiny_checkpoint, like, out)
    assert heard == "killed" or NO_ROOM.fullmatch(heard)
    assert meet(None, doing.generate_parts, tiny_checkpoint, like, out) == "done"
    assert content(out) == content(parts)
    assert not list(out.glob(".*"))
    shutil.rmtree(out)
