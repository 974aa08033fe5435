"""What can go wrong, as the user is told: every error's text is the end of the one line that is printed."""


class ProbeError(Exception):
    """Base of all that ends a check without a verdict from the server's status."""


class UsageError(ProbeError):
    """The arguments or the environment ask for something that cannot be done; nothing was sent."""

    def __init__(self, message: str, refused: str | None = None) -> None:
        super().__init__(message)
        self.refused = refused  # the value that is not what it should be, where it is one


class CheckFailed(ProbeError):
    """The target gave no usable reply: refused, unresolved, cut off, malformed, untrusted."""


class NoReply(CheckFailed):
    """The target ended the connection and sent nothing."""


class DeadlineExceeded(CheckFailed):
    """The timeout ran out first."""


def os_reason(error: OSError) -> str:
    """The system's own words for an error, in the lower case of the middle of a line."""
    words = error.strerror or str(error)
    return words[:1].lower() + words[1:] if words else type(error).__name__
