"""Put the service together: handlers, limits, keys, problems, documentation."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

import htp
from htp.serve import problems
from htp.serve.description import examples
from htp.serve.middleware import BodyLimit, Guard, Watch
from htp.serve.routes import router
from htp.serve.service import Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from htp.serve.joint import JointGenerator
    from htp.serve.keys import Keys
    from htp.serve.settings import ServiceSettings

SUMMARY = "Realistic GPS trips for a city: a route and a time of day in, trips out."


def create_app(generator: JointGenerator, settings: ServiceSettings, keys: Keys | None = None) -> FastAPI:
    """Return the application that serves a generator; without `keys` to everybody who reaches it."""
    service = Service(generator, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.scheduler.stop()

    app = FastAPI(
        title=f"HTP · {service.city.name}",
        summary=SUMMARY,
        version=htp.__version__,
        docs_url=None,  # FastAPI's page loads scripts from elsewhere; ours is in `page.py`
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    app.include_router(router)
    problems.add_to(app)
    if keys is not None:
        app.add_middleware(Guard, keys=keys)
    app.add_middleware(BodyLimit, most_bytes=settings.max_body_bytes)
    if settings.allow_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.allow_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After"],
        )
    app.add_middleware(Watch, metrics=service.metrics)
    _document(app, service, keyed=keys is not None)
    return app


def _document(app: FastAPI, service: Service, *, keyed: bool) -> None:
    """Add requests that this city answers to the documentation, and say whether a key is needed."""
    schema = app.openapi()
    for path, requests in examples(service.city).items():
        body: dict[str, Any] = schema["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        body["examples"] = {name: {"value": value} for name, value in requests.items()}
    if keyed:
        schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        for path, operations in schema["paths"].items():
            for operation in operations.values() if path.startswith("/v1/") else ():
                operation["security"] = [{"key": []}]
