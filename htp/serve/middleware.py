"""Watch, limit and guard every request before a handler sees it: plain ASGI, so that streams stay streams."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException

from htp.serve.logs import request_id
from htp.serve.problems import problem, problem_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from htp.serve.keys import Keys
    from htp.serve.metrics import Metrics

SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
BODY_S = 15.0  # between two pieces of a body: who is slower holds a place for nothing
GUARDED = "/v1/"
log = logging.getLogger("htp.serve")


class Watch:
    """Give every request an id, and log and count how it was answered; faults of our own become a problem."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        identity = given if SANE_ID.fullmatch(given) else uuid.uuid4().hex
        request_id.set(identity)
        started, status = time.monotonic(), 0

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = identity
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        try:
            await self.app(scope, receive, tell)
        except Exception as error:  # the last place to catch it; the client still gets an answer
            log.exception("a request failed")
            if not status:
                await problem(*problem_of(error)[:2])(scope, receive, tell)
        finally:
            self._note(scope, status, time.monotonic() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        path = getattr(scope.get("route"), "path", "other")
        self.metrics.answered(path, status, seconds)
        quiet = path in {"/healthz", "/readyz", "/metrics"} and status < 400
        facts = {"method": scope["method"], "path": path, "status": status, "seconds": round(seconds, 4)}
        facts |= {name: scope[f"htp.{name}"] for name in ("trips", "key") if f"htp.{name}" in scope}
        log.log(logging.DEBUG if quiet else logging.INFO, "request", extra=facts)


class BodyLimit:
    """Refuse bodies that are too long, or take too long to come."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self.app, self.most_bytes = app, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if len(length) > 15 or int(length) > self.most_bytes:  # the server has checked that it is a number
            await problem(413, self._sentence)(scope, receive, send)
            return
        read, whole = 0, False

        async def limited() -> Message:
            nonlocal read, whole
            if whole:  # what comes now is that the client went away
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), BODY_S)
            except TimeoutError:
                raise HTTPException(408, f"The body did not come within {BODY_S:.0f} s; send it at once.") from None
            read += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if read > self.most_bytes:
                raise HTTPException(413, self._sentence)
            return message

        await self.app(scope, limited, send)

    @property
    def _sentence(self) -> str:
        return f"The body is too long; a request takes at most {self.most_bytes:,} bytes."


class Guard:
    """Let only those in who have a key."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self.app, self.keys = app, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"].startswith(GUARDED):
            name = self.keys.name_of(Headers(scope=scope).get("authorization", ""))
            if name is None:
                sentence = "This service needs a key; send the header `Authorization: Bearer KEY` with a valid one."
                await problem(401, sentence, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
                return
            scope["htp.key"] = name
        await self.app(scope, receive, send)
