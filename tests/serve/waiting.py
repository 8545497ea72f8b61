"""Wait in tests for what happens in another thread, and connect to it without waiting for certificates."""

import ssl
import time

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # httpx loads all there are for every client: 50 ms


def eventually(condition, seconds=10.0):
    """Wait until a condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.01)
