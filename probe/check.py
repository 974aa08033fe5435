"""What to ask and what to expect, and the engine that asks."""

from probe import target, values
from probe.deadline import Deadline
from probe.errors import UsageError
from probe.options import OPTIONS, Given
from probe.reply import Reply
from probe.target import Target
from probe.values import Statuses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Value = TypeVar("Value")

DEFAULTS = {option.name: Given(option.default, option.long) for option in OPTIONS if option.default}


class Check:
    """One check, fully determined."""

    __slots__ = ("cacert", "expected", "insecure", "target", "timeout", "verbose")

    def __init__(
        self, target: Target, expected: Statuses, timeout: float, cacert: str, insecure: bool, verbose: bool
    ) -> None:
        self.target = target
        self.expected = expected
        self.timeout = timeout  # seconds
        self.cacert = cacert  # the path of a PEM file; "" for the system's trust
        self.insecure = insecure
        self.verbose = verbose


def build(given: "dict[str, Given]") -> Check:
    """The check that the given texts ask for, defaults filled in. Raises UsageError, naming what gave the value."""
    texts = DEFAULTS | given

    def value(name: str, parse: "Callable[[str], Value]") -> "Value":
        try:
            return parse(texts[name].text)
        except UsageError as error:
            raise UsageError(f"{texts[name].source}: {error}") from None

    if "url" in texts:
        asked = value("url", target.from_url)
    else:
        asked = Target("http", value("host", target.host), value("port", values.port), value("path", target.path))
    return Check(
        target=asked,
        expected=value("expect", values.statuses),
        timeout=value("timeout", values.duration),
        cacert=value("cacert", _readable_file) if "cacert" in texts else "",
        insecure="insecure" in texts and value("insecure", values.flag),
        verbose="verbose" in texts and value("verbose", values.flag),
    )


def _readable_file(text: str) -> str:
    from probe import web

    return web.readable_certificates(text)


def fetch(check: Check, deadline: Deadline) -> Reply:
    """Ask, by the engine for the target's scheme. Raises CheckFailed where there is no reply."""
    if check.target.scheme == "https":
        from probe import web

        return web.fetch(check, deadline)
    from probe import http1

    return http1.fetch(check.target, deadline)
