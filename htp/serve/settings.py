"""Set what the service takes, how long it waits and what it gives out."""

from __future__ import annotations

from dataclasses import dataclass

from htp.errors import InputError


@dataclass(frozen=True)
class ServiceSettings:
    """The limits of a service; all are ours."""

    max_body_bytes: int = 4 * 2**20  # of one request
    max_trips: int = 1000  # in one request
    max_waypoints: int = 50  # of one route
    max_roads: int = 5000  # of one route given by its roads
    queue_trips: int = 5000  # waiting, all requests together; more is answered with 429
    queue_requests: int = 500  # waiting; below the connections that the server keeps, so that it is we who refuse
    batch_trips: int = 64  # generated at once at most
    batch_s: float = 1.0  # batches are kept so small that they take about this long: what a new request waits
    deadline_s: float = 60.0  # from a request's arrival to its last trip
    allow_origins: tuple[str, ...] = ()  # other sites whose pages may call the service
    share_heldout: bool = False  # give out the checkpoint's held-out trips, which may be those of real people

    def __post_init__(self) -> None:
        """Check the limits against each other; `InputError` says what does not fit."""
        if self.queue_trips < self.max_trips:
            raise InputError(
                f"a queue of {self.queue_trips:,} trips is too short for requests of {self.max_trips:,} trips; "
                "give a longer queue or smaller requests."
            )
        if not 1.0 <= self.deadline_s <= 3600.0:
            raise InputError(f"the deadline is {self.deadline_s:g} s; give 1 to 3600 s.")
