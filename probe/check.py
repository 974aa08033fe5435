"""A check, its outcome, and the order in which it is made."""

from dataclasses import dataclass

from probe.conditions import Condition
from probe.conditions.status import ExpectedStatus
from probe.deadline import Deadline
from probe.errors import CheckFailed
from probe.http.request import Request
from probe.http.response import Response
from probe.protocols import PROTOCOLS


@dataclass(frozen=True, slots=True)
class Check:
    """One check, fully determined: nothing is read or parsed after the request is sent."""

    request: Request
    expected: ExpectedStatus
    timeout: float  # seconds
    verbose: bool

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Everything that the response must meet, in the order in which it is judged."""
        return (self.expected,)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a check: a response and what it does not meet, or the failure to get one."""

    response: Response | None
    unmet: tuple[str, ...]  # one text for each condition that does not hold
    failure: CheckFailed | None
    elapsed: float  # seconds until the outcome was known

    @property
    def healthy(self) -> bool:
        """Whether there was a response that meets every condition."""
        return self.failure is None and not self.unmet


def run(check: Check, deadline: Deadline) -> Outcome:
    """Request the target and judge the response."""
    try:
        response = PROTOCOLS[check.request.target.scheme](check.request, check.expected, deadline)
    except CheckFailed as failure:
        return Outcome(None, (), failure, deadline.took())
    unmet = tuple([text for condition in check.conditions if (text := condition.unmet(response))])
    return Outcome(response, unmet, None, deadline.took())
