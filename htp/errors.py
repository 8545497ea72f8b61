"""Say in one sentence what was wrong with the user's input and what to do about it."""


class InputError(ValueError):
    """A mistake in a file, option or request; its message is shown to the user as it is, without a traceback."""
