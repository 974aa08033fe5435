"""The check that the raw values of the options determine."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from probe.check import Check
from probe.deadline import Deadline, run_limited
from probe.http.request import Request
from probe.options import OPTIONS, PARAMETERS
from probe.protocols import http
from probe.raw_value import RawValue
from probe.target import Target
from probe.transport import trust

PARSERS = {option.name: option.parse for option in PARAMETERS}
DEFAULTS = {option.name: option.parse(option.default) for option in OPTIONS if option.default}


@dataclass(frozen=True, slots=True)
class Settings:
    """A check, and the file that it still has to read."""

    check: Check
    cacert: RawValue | None  # the path of a PEM file

    def load(self, deadline: Deadline) -> Check:
        """Return the check with its file read. Raises UsageError, DeadlineExceeded: a file system may not answer."""
        if self.cacert is None or not self.check.request.target.scheme.secure:
            return self.check
        trust.prepare(deadline)
        trusted = run_limited(deadline, partial(self.cacert.parse, trust.from_file))
        return replace(self.check, request=replace(self.check.request, trusted=trusted))


def parse_values(raw: dict[str, RawValue]) -> Settings:
    """Parse the raw values, and take the defaults for the rest. Raises UsageError that begins with the source."""
    values: dict[str, Any] = DEFAULTS | {name: value.parse(PARSERS[name]) for name, value in raw.items()}
    target = values.get("url") or Target(http.SCHEME, values["host"], values["port"], values["path"])
    check = Check(
        request=Request(target, insecure="insecure" in values),
        expected=values["expect"],
        timeout=values["timeout"],
        verbose="verbose" in values,
    )
    return Settings(check, raw.get("cacert"))
