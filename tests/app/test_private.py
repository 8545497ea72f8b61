"""Two people in one app: what one adds the other sees, but not where the app was started with `--private`."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from driving import opened

import htp_app.model
from htp.workspace import Kind, Workspace
from htp_app.private import KEPT_S, SESSION, SESSIONS, sweep

VIEW = Path(htp_app.model.__file__).parent / "views" / "data" / "view.py"
REPORT = {"city": {"name": "Grid"}, "kept": 7, "rows": 10}


@pytest.fixture(params=[(), ("--private",)], ids=["shared", "private"])
def start(request, checkpoint, tmp_path, monkeypatch):
    """Start the app, shared or private; return its workspace and whether it is private."""
    folder = tmp_path / "space"
    arguments = ["app/main.py", "--checkpoint", str(checkpoint), "--workspace", str(folder), *request.param]
    monkeypatch.setattr("sys.argv", arguments)
    return folder, bool(request.param)


def with_trips(folder: Path, name: str) -> Path:
    """Put prepared trips into a workspace."""
    trips = Workspace(folder).new(Kind.trips, name)
    trips.mkdir()
    (trips / "report.json").write_text(json.dumps(REPORT))
    return trips


def shown(page) -> str:
    return " ".join(block.proto.body for block in page.get("html")) + " ".join(text.value for text in page.markdown)


def test_who_sees_what_one_person_has_added(start):
    folder, private = start
    ana, ben = opened(VIEW, part="stored"), opened(VIEW, part="stored")
    assert not ana.exception
    own = folder / SESSIONS / ana.session_state[SESSION] if private else folder
    with_trips(own, "taxis-of-ana")
    assert "taxis-of-ana" in shown(ana.run())
    assert ("taxis-of-ana" in shown(ben.run())) is not private
    said = shown(ben)
    assert ("in this browser tab alone" in said, "seen by all who use this app" in said) == (private, not private)


def test_what_one_person_deletes_while_another_looks_at_it_is_gone_without_a_traceback(start):
    folder, private = start
    ana = opened(VIEW, part="stored")
    trips = with_trips(folder / SESSIONS / ana.session_state[SESSION] if private else folder, "taxis")
    assert "taxis" in shown(ana.run())
    shutil.rmtree(trips)
    assert not ana.run().exception
    assert "None yet: add trips for a city." in " ".join(caption.value for caption in ana.caption)


def test_folders_of_sessions_go_after_a_day_but_for_those_somebody_trains_in(tmp_path):
    old, trained, new = (tmp_path / SESSIONS / name for name in ("old", "trained", "new"))
    for folder in (old, new, trained / "checkpoints"):
        folder.mkdir(parents=True)
    for folder in (old, trained):
        os.utime(folder, times=(time.time() - KEPT_S - 60,) * 2)
    sweep(tmp_path)
    assert sorted(path.name for path in (tmp_path / SESSIONS).iterdir()) == ["new", "trained"]
