"""Check that a connection takes neither memory nor time without end before a request is there."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import pytest

from htp.serve import connections
from htp.serve.connections import MAX_HEADER_BYTES

LINE = b"x-%d: " + b"a" * 1000 + b"\r\n"


@pytest.fixture
def connect(served):
    """Return a function that opens a connection to the service."""
    opened = []

    def connection():
        parts = urlsplit(served.url)
        opened.append(socket.create_connection((parts.hostname, parts.port), timeout=10))
        return opened[-1]

    yield connection
    for one in opened:
        one.close()


def closed_after(connection, send=b""):
    """Return the seconds until the service closes, and what it said; `send` is sent every 50 ms."""
    started, said = time.monotonic(), b""
    connection.settimeout(0.05)
    while time.monotonic() - started < 10:
        try:
            if send:
                connection.sendall(send)
            got = connection.recv(4096)
            if not got:
                return time.monotonic() - started, said
            said += got
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - started, said
    raise AssertionError("the connection was kept")


def test_headers_without_end_are_refused_before_they_take_memory(connect):
    connection = connect()
    connection.sendall(b"GET /v1/city HTTP/1.1\r\nHost: x\r\n")
    sent, answer = 0, b""
    try:
        while sent < 64 * MAX_HEADER_BYTES:
            line = LINE % sent
            connection.sendall(line)
            sent += len(line)
            time.sleep(0.001)
        answer = connection.recv(4096)
    except OSError:
        pass
    assert sent < 64 * MAX_HEADER_BYTES or b"400" in answer
    assert sent < 40 * MAX_HEADER_BYTES  # what the sockets' buffers hold besides


def test_one_header_without_end_is_refused(connect):
    connection = connect()
    connection.sendall(b"GET /v1/city HTTP/1.1\r\nHost: x\r\nx: ")
    seconds, said = closed_after(connection, send=b"a" * 16_384)
    assert seconds < 5
    assert said.startswith(b"HTTP/1.1 400") or not said


def test_usual_headers_are_read(connect):
    connection = connect()
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"".join(LINE % n for n in range(20)) + b"\r\n")
    assert connection.recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("beginning", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"], ids=["nothing", "half"])
def test_headers_that_do_not_come_in_time_end_the_connection(connect, monkeypatch, beginning):
    monkeypatch.setattr(connections, "HEADER_S", 0.5)
    connection = connect()
    connection.sendall(beginning)
    seconds, _ = closed_after(connection)
    assert 0.3 < seconds < 5


def test_slow_headers_do_not_gain_time_by_the_byte_not_even_after_an_answer(connect, monkeypatch):
    monkeypatch.setattr(connections, "HEADER_S", 0.5)
    connection = connect()
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    connection.sendall(b"GET /healthz HTTP/1.1\r\nx: ")
    seconds, _ = closed_after(connection, send=b"a")
    assert seconds < 5
