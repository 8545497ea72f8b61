"""Generate realistic GPS trips for a city: travel patterns by a language model, points by an RQ-VAE."""

from typing import TYPE_CHECKING, Any

from htp.trips import Conditions, Route

if TYPE_CHECKING:
    from htp.client import Client
    from htp.generate import Generator

__version__ = "0.2.0.dev0"
__all__ = ["Client", "Conditions", "Generator", "Route"]


def __getattr__(name: str) -> Any:
    """Load the generator, and with it torch, or the client only when it is asked for."""
    if name == "Generator":
        from htp.generate import Generator  # noqa: PLC0415

        return Generator
    if name == "Client":
        from htp.client import Client  # noqa: PLC0415

        return Client
    raise AttributeError(f"module 'htp' has no attribute {name!r}")
