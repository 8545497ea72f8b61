"""Say in one sentence what was wrong with the user's input or disk and what to do about it."""

from __future__ import annotations

import errno
import os

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, one's share of it, the size that a file may have
AS_TEXT = (*(os.strerror(number) for number in NO_ROOM), "PytorchStreamWriter failed writing file")  # of libraries


class InputError(ValueError):
    """A mistake in a file, option or request; its message is shown to the user as it is, without a traceback."""


def no_room(error: BaseException) -> str | None:
    """Return a sentence where something could not be written because the disk is full; None for other errors."""
    if isinstance(error, InputError):  # says it already
        return None
    reason = next((text for text in AS_TEXT if text in str(error)), None)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        reason = os.strerror(error.errno)
    if reason is None:
        return None
    return f"could not be written ({reason}); make room on the disk, then run the command again."
