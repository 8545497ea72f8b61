"""Say what is wrong with a request as `application/problem+json` (RFC 9457) with one clear sentence.

What is too long, too slow or without a key is refused before a handler sees it, by plain ASGI, so that streams stay
streams.
"""

from __future__ import annotations

import asyncio
import json
import logging
from http.client import responses as REASONS
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from htp.errors import InputError
from htp.serve.admission import ClientDisconnected, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from htp.serve.keys import Keys

PROBLEM = "application/problem+json"
CLIENT_CLOSED = 499  # nobody reads it but the log
SHOWN = 60  # characters of what was given
BODY_S = 15.0  # between two pieces of a body: who is slower holds a place for nothing
GUARDED = "/v1/"
BEARER = HTTPBearer(scheme_name="key", auto_error=False)  # reads the header, and is the lock on the OpenAPI page
log = logging.getLogger("htp.serve")

SENTENCES = {  # those of HTTP itself
    404: "There is nothing here; GET /openapi.json lists what there is.",
    405: "This address does not take this method; GET /openapi.json lists which it takes.",
}


def problem(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer that says what is wrong."""
    return Response(problem_text(status, sentence), status, headers, PROBLEM)


def problem_text(status: int, sentence: str) -> bytes:
    """Return the JSON of a problem."""
    title = REASONS.get(status, "Client Closed Request")
    return json.dumps({"type": "about:blank", "title": title, "status": status, "detail": sentence}).encode()


def problem_of(error: Exception) -> tuple[int, str, dict[str, str]]:
    """Return status, sentence and headers for what went wrong."""
    if isinstance(error, Refused):
        wait = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
        return error.status, error.sentence, wait
    if isinstance(error, InputError):
        return 422, _as_sentence(str(error)), {}
    if isinstance(error, RequestValidationError):
        return _validation(error.errors())
    if isinstance(error, HTTPException):
        sentence = SENTENCES.get(error.status_code) or _as_sentence(str(error.detail))
        return error.status_code, sentence, dict(error.headers or {})
    return 500, "The service made a mistake of its own; its log has this answer's X-Request-ID.", {}


def answer_with_problems(app: FastAPI) -> None:
    """Answer every error of the application as a problem."""

    async def answer(_: Request, error: Exception) -> Response:
        if isinstance(error, ClientDisconnected):
            return Response(status_code=CLIENT_CLOSED)
        status, sentence, headers = problem_of(error)
        if status == 500:
            log.error("a request failed", exc_info=error)
        return problem(status, sentence, headers)

    for kind in (Refused, ClientDisconnected, InputError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


class BodyLimit:
    """Refuse bodies that are too long, or take too long to come."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self.app, self.most_bytes = app, most_bytes
        self.sentence = f"The body is too long; a request takes at most {most_bytes:,} bytes."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if len(length) > 15 or int(length) > self.most_bytes:  # the server has checked that it is a number
            await problem(413, self.sentence)(scope, receive, send)
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
                raise HTTPException(413, self.sentence)
            return message

        await self.app(scope, limited, send)


class KeyGuard:
    """Let only those in who have a key, before anything of a body is read (a dependency of FastAPI's comes after)."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self.app, self.keys = app, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"].startswith(GUARDED):
            given = await BEARER(HTTPConnection(scope))
            name = None if given is None else self.keys.name_of(given.credentials)
            if name is None:
                sentence = "This service needs a key; send the header `Authorization: Bearer KEY` with a valid one."
                await problem(401, sentence, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
                return
            scope["htp.key"] = name
        await self.app(scope, receive, send)


def _validation(errors: Sequence[Any]) -> tuple[int, str, dict[str, str]]:
    """Return the first mistake in a request's fields as status, sentence and headers."""
    error = errors[0]
    where, kind = _field(error["loc"][1:]), error["type"]
    if kind == "json_invalid":
        return 400, "The body is not JSON; send one JSON object.", {}
    if kind == "missing":
        sentence = f"The field {where} is missing" if where else "The body is missing; send one JSON object"
    elif kind == "extra_forbidden":
        sentence = f"The field {where} is not known; GET /openapi.json lists those that are"
    elif kind == "value_error":
        sentence = f"{where}: {error['ctx']['error']}" if where else str(error["ctx"]["error"])
    else:
        subject = f"The field {where}" if where else "The body"
        message = error["msg"].replace("Input should", "it should")
        sentence = f"{subject} is {_shown(error.get('input'))}; {message[:1].lower()}{message[1:]}"
    return 422, _as_sentence(sentence), {}


def _field(loc: Sequence[str | int]) -> str:
    """Return where in the body a mistake is: ("waypoints", 0, 1) is waypoints[0][1]."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{part[:SHOWN]}"
    return text


def _shown(value: Any) -> str:
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    text = repr(value) if not isinstance(value, int) or value.bit_length() < 4 * SHOWN else "a very large number"
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _as_sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
