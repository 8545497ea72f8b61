"""Wait in tests for what happens in another thread."""

import time


def eventually(condition, seconds=10.0):
    """Wait until a condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.01)
