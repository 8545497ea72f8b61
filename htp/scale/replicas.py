"""Keep a web application running on a Ray cluster, as replicas that come and go with the load (Ray Serve).

A replica is a process with an application of its own, on a processor or a GPU. A proxy on every machine with replicas
takes requests in and gives each to the less busy of two replicas. Knows nothing about what is served.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp.scale.cluster import Cluster

NAME = "htp"
ONGOING = 4.0  # ours: requests that a replica answers at once before another one is started
CONNECTIONS = 1000  # requests that a replica takes on; it refuses itself what its queue has no room for
KEEP_ALIVE_S = 15


@dataclass(frozen=True)
class Scaling:
    """How many replicas there are."""

    least: int = 1
    most: int = 1

    def __post_init__(self) -> None:
        """Check the numbers; `InputError` where they contradict each other."""
        if not 1 <= self.least <= self.most:
            raise InputError(f"{self.least} to {self.most} replicas: give 1 or more, the lower number first.")


@dataclass(frozen=True)
class Application:
    """What a replica runs: both functions travel to it."""

    build: Callable[[], Any]  # returns an ASGI application; called once a replica
    is_well: Callable[[Any], bool]  # whether an application still works; its replica is replaced where it does not
    finish_s: float  # that requests may take: a replica that has to go is given so long


class Replicas:
    """An application that is served as long as the context is open."""

    def __init__(self, cluster: Cluster, application: Application, scaling: Scaling, host: str, port: int) -> None:
        """Serve on a cluster that is connected to, at a port of every machine with replicas."""
        self.cluster, self.application, self.scaling = cluster, application, scaling
        self.host, self.port = host, port

    def __enter__(self) -> Self:
        """Start the replicas and wait for the first; `InputError` where that cannot be."""
        try:
            from ray import serve as ray_serve  # noqa: PLC0415  only where it is asked for
        except ImportError as error:
            raise InputError("--ray needs Ray Serve, which is missing; run pip install 'htp[scale]'.") from error
        serve: Any = ray_serve
        self._serve = serve
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        where = f"--ray {self.cluster.address}"
        if self.scaling.least > self.cluster.workers:
            raise InputError(f"{where}: has room for {self.cluster.workers} replicas; ask for no more at least.")
        if serve.status().proxies:
            raise InputError(f"{where}: serves something already; end that with `serve shutdown` and try again.")
        try:
            serve.start(http_options={"host": self.host, "port": self.port, "keep_alive_timeout_s": KEEP_ALIVE_S})
            serve.run(self._bound(), name=NAME, route_prefix="/", logging_config={"enable_access_log": False})
        except BaseException as error:
            serve.shutdown()
            if isinstance(error, RuntimeError | OSError | self.cluster.ray.exceptions.RayError):
                raise InputError(f"{where}: the replicas do not start ({_last_line(error)}).") from error
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Take no more requests, let the replicas finish, and end them."""
        end = time.monotonic() + self.application.finish_s
        while time.monotonic() < end:
            with suppress(TimeoutError):  # Ray Serve waits for a minute at most
                self._serve.delete(NAME)
                break
        self._serve.shutdown()

    def _bound(self) -> Any:
        """Return the application as Ray Serve takes it."""
        build, is_well = self.application.build, self.application.is_well

        class Replica:
            app: Any  # set by Ray Serve

            def check_health(self) -> None:
                if not is_well(self.app):
                    raise RuntimeError("the application does not work any more")

        def built() -> Any:  # a plain function: Ray Serve would take a partial for the application itself
            return build()

        deployment = self._serve.deployment(
            self._serve.ingress(built)(Replica),
            name=NAME,
            ray_actor_options=self.cluster.needs,
            autoscaling_config={
                "min_replicas": self.scaling.least,
                "max_replicas": self.scaling.most,
                "target_ongoing_requests": ONGOING,
            },
            max_ongoing_requests=CONNECTIONS,
            max_queued_requests=CONNECTIONS,
            graceful_shutdown_timeout_s=self.application.finish_s,
        )
        return deployment.bind()


def _last_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["for no known reason"])[-1].strip().rstrip(".")
