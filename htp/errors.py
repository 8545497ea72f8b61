"""Say in one sentence what was wrong with the user's input or disk and what to do about it."""

from __future__ import annotations

import errno
import os

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, one's share of it, the size that a file may have
NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)  # of this user, or of a disk that is read alone
AS_TEXT = {os.strerror(number): os.strerror(number) for number in NO_ROOM}  # in what libraries say
AS_TEXT |= dict.fromkeys(("PytorchStreamWriter failed writing", "unexpected pos"), "PyTorch could not write on")


class InputError(ValueError):
    """A mistake in a file, option or request; its message is shown to the user as it is, without a traceback."""


def no_room(error: BaseException) -> str | None:
    """Return a sentence where something could not be written because the disk is full; None for other errors."""
    if isinstance(error, InputError):  # says it already
        return None
    reason = None
    for one in _causes(error):  # the last is the first that went wrong
        if isinstance(one, OSError) and one.errno in NO_ROOM:
            reason = os.strerror(one.errno)
        else:
            reason = next((words for text, words in AS_TEXT.items() if text in str(one)), reason)
    return reason and f"could not be written ({reason}); make room on the disk, then run the command again."


def no_right(error: BaseException) -> str | None:
    """Return a sentence where this user may not read or write a file; None for other errors."""
    if isinstance(error, InputError):
        return None
    for one in _causes(error):
        if isinstance(one, OSError) and one.errno in NO_RIGHT:
            place = f"{one.filename}: " if one.filename else ""
            return (
                f"{place}may not be read or written ({one.strerror}); name another place, or get the right to this one."
            )
    return None


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and what led to it, the first of all last."""
    seen = [error]
    while (before := seen[-1].__cause__ or seen[-1].__context__) is not None and before not in seen:
        seen.append(before)
    return seen
