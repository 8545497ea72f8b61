"""What the app is started with."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

import htp.cli.main
from htp.checkpoint import Checkpoint, shipped
from htp_app.model import checkpoint_of, options_of


def test_the_checkpoint_is_named_after_the_dashes_and_has_a_default():
    assert checkpoint_of(["--checkpoint", "here"]) == "here"
    assert checkpoint_of([]) == str(shipped())


@pytest.mark.parametrize(
    ("card", "simulated"),
    [
        ("---\nsimulated: true\n---\n# Card", True),
        ("---\nsimulated: false\n---\n# Card", False),
        ("# Card\nsimulated: true\n", False),
        ("---\nsimulated: true\n", False),
        ("", False),
    ],
)
def test_the_header_of_the_card_says_whether_trips_are_simulated(tmp_path, card, simulated):
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    assert Checkpoint(tmp_path).simulated is simulated


def test_services_are_handed_on_from_the_command_to_the_app(monkeypatch):
    started = []
    monkeypatch.setattr("htp.cli.main.subprocess.call", lambda command: started.append(command) or 0)
    outcome = CliRunner().invoke(htp.cli.main.app, ["app", "--backend", "http://here:1", "--backend", "http://there:2"])
    assert outcome.exit_code == 0
    [command] = started
    assert options_of(command[command.index("--") + 1 :]).backend == ["http://here:1", "http://there:2"]
    assert options_of([]).backend == []
