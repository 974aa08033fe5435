"""What can go wrong. The text of each error is the end of the one line that is printed."""


class ProbeError(Exception):
    """Base of the errors that end a run without a response."""


class UsageError(ProbeError):
    """The arguments or the environment are wrong. Nothing was sent."""

    def __init__(self, message: str, refused: str | None = None) -> None:
        super().__init__(message)
        self.refused = refused  # the refused value, if the message is about one


class CheckFailed(ProbeError):
    """The target gave no usable response: refused, unresolved, cut off, malformed, untrusted."""


class NoResponse(CheckFailed):
    """The server ended the connection before it sent anything."""


class DeadlineExceeded(CheckFailed):
    """The timeout ran out first."""


def os_reason(error: OSError) -> str:
    """Return the system's words for an error, in lower case for the middle of a line."""
    words = error.strerror or str(error)
    return words[:1].lower() + words[1:] if words else type(error).__name__
