"""What planners, researchers and presenters come for, done in headless Chromium on the city that ships.

The app runs as `htp app` starts it, on the trained checkpoint with fewer held-out trips; nothing may leave the machine
(fixture `watched`).
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from links import PROBE
from person import PATIENCE_MS, Kind, Person
from serving import served_checkpoint
from tasks import CHECKPOINT, TASKS, Task

from htp.checkpoint import Checkpoint
from htp.trips import read_trips, write_trips

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EVERY = 10  # of the held-out trips: all of them are measured and encoded while a person waits


@pytest.fixture(scope="module")
def shipped_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the app over the checkpoint that ships, with every tenth of its held-out trips."""
    folder = tmp_path_factory.mktemp("shipped")
    files = Checkpoint(shutil.copytree(CHECKPOINT, folder / CHECKPOINT.name))
    write_trips(read_trips(files.heldout).iloc[::EVERY], files.heldout)
    files.seal()
    with served_checkpoint(files.folder, folder) as url:
        yield url


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.do.__name__)
def test_a_task_is_done_in_the_app_with_few_clicks(shipped_url, watched: Watched, tmp_path: Path, task: Task):
    watched.page.set_default_timeout(PATIENCE_MS)
    person = Person(watched.page, shipped_url, tmp_path)
    assert task.do(person)
    assert person.clicks <= task.most_clicks
    assert person.slowest(Kind.answer) is not None
    assert watched.complaints in ([], [PROBE] * 2)
    watched.complaints.clear()
