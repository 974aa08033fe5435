"""What to ask and what to expect, and the engine that asks."""

from dataclasses import dataclass

from probe import http1, target, trust, values, watchdog, web
from probe.deadline import Deadline, within
from probe.options import OPTIONS, Given, parsed
from probe.renewal import renew
from probe.reply import Reply
from probe.target import Target
from probe.values import Statuses

DEFAULTS = {option.name: Given(option.default, option.long) for option in OPTIONS if option.default}


# What each check makes anew is not frozen: to set a field takes four times as long then, 5 % of a check in all.
@dataclass(slots=True)
class Check:
    """One check, fully determined."""

    target: Target
    expected: Statuses
    timeout: float  # seconds
    cacert: Given | None  # the path of a PEM file; None for the system's trust
    insecure: bool
    verbose: bool


def build(given: dict[str, Given]) -> Check:
    """The check that the given texts ask for, defaults filled in. Raises UsageError, naming what gave the value."""
    texts = DEFAULTS | given
    if "cacert" in texts:
        parsed(texts["cacert"], values.file)
    if "url" in texts:
        asked = parsed(texts["url"], target.from_url)
    else:
        asked = Target(
            scheme="http",
            host=parsed(texts["host"], target.host),
            port=parsed(texts["port"], values.port),
            path=parsed(texts["path"], target.path),
        )
    return Check(
        target=asked,
        expected=parsed(texts["expect"], values.statuses),
        timeout=parsed(texts["timeout"], values.duration),
        cacert=texts.get("cacert"),
        insecure="insecure" in texts,
        verbose="verbose" in texts,
    )


def fetch(check: Check, deadline: Deadline) -> Reply:
    """Ask, by the engine for the target's scheme.

    Raises CheckFailed where there is no reply, DeadlineExceeded, and UsageError where `cacert` cannot be used.
    """
    if check.target.scheme == "http":
        return http1.fetch(check.target, deadline, check.expected)

    deadline.doing = "getting ready for TLS"

    def ask() -> Reply:
        renew()
        if check.cacert:
            trusted = parsed(check.cacert, trust.these)
        else:
            trusted = trust.any_certificate() if check.insecure else trust.systems()
        return web.fetch(check.target, deadline, check.expected, trusted)

    if watchdog.arm:  # it ends what is late, so that no second thread has to be left behind
        return ask()
    return within(deadline, ask)
