"""Say what is served, before anything of it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from htp.serve.application import create_app
from htp.serve.joint import JointGenerator

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi import FastAPI

    from htp.serve.keys import Keys
    from htp.serve.settings import ServiceSettings


@dataclass(frozen=True)
class Served:
    """A checkpoint, and how it is offered; small, so that it travels to replicas."""

    checkpoint: Path
    device: str
    settings: ServiceSettings
    keys: Keys | None = None

    def load(self) -> FastAPI:
        """Return the application, its models loaded."""
        generator = JointGenerator.load(self.checkpoint, self.device)
        assert isinstance(generator, JointGenerator), "load makes what it is called on"
        return create_app(generator, self.settings, self.keys)
