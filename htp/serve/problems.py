"""Say what is wrong with a request as `application/problem+json` (RFC 9457) with one clear sentence."""

from __future__ import annotations

import json
import logging
from http.client import responses as REASONS
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from htp.errors import InputError
from htp.serve.job import ClientGone, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROBLEM = "application/problem+json"
CLIENT_CLOSED = 499  # nobody reads it but the log
SHOWN = 60  # characters of what was given
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


def add_to(app: FastAPI) -> None:
    """Answer every error of the application as a problem."""

    async def answer(_: Request, error: Exception) -> Response:
        if isinstance(error, ClientGone):
            return Response(status_code=CLIENT_CLOSED)
        status, sentence, headers = problem_of(error)
        if status == 500:
            log.error("a request failed", exc_info=error)
        return problem(status, sentence, headers)

    for kind in (Refused, ClientGone, InputError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


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
