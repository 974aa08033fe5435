"""A check is run by the protocol of its scheme, and its response is judged by every condition."""

from time import monotonic

import pytest

from probe import check
from probe.deadline import Deadline
from probe.errors import CheckFailed
from probe.http.response import Response
from probe.protocols import PROTOCOLS, SCHEMES
from testing.checks import settings_of


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_scheme_decides_which_protocol_fetches(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    asked: list[object] = []

    def fetch(*given: object) -> Response:
        asked.append(given)
        return response

    response, deadline = Response(200, b"", {}, b""), Deadline(10, monotonic())
    monkeypatch.setitem(PROTOCOLS, SCHEMES[scheme], fetch)
    wanted = settings_of(f"{scheme}://a").check
    outcome = check.run(wanted, deadline)
    assert (outcome.response, outcome.healthy) == (response, True)
    assert asked == [(wanted.request, wanted.expected, deadline)]


JUDGED = {
    "expected": (200, ()),
    "expected too": (204, ()),
    "unexpected": (503, ("expected 200,204",)),
}


@pytest.mark.parametrize(("status", "unmet"), JUDGED.values(), ids=list(JUDGED))
def test_the_conditions_judge_the_response(
    monkeypatch: pytest.MonkeyPatch, status: int, unmet: tuple[str, ...]
) -> None:
    monkeypatch.setitem(PROTOCOLS, SCHEMES["http"], lambda *_: Response(status, b"", {}, b""))
    outcome = check.run(settings_of("http://a", expect="200,204").check, Deadline(10, monotonic()))
    assert (outcome.unmet, outcome.healthy, outcome.failure) == (unmet, not unmet, None)


def test_a_failure_is_an_outcome_and_its_time_ends_when_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = CheckFailed("why")

    def fail(_: object, __: object, deadline: Deadline) -> Response:
        deadline.decided_after = 0.25
        raise failure

    monkeypatch.setitem(PROTOCOLS, SCHEMES["http"], fail)
    outcome = check.run(settings_of().check, Deadline(10, monotonic()))
    assert (outcome.response, outcome.unmet, outcome.healthy) == (None, (), False)
    assert (outcome.failure, outcome.elapsed) == (failure, 0.25)
