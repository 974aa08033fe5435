"""The line and the exit code of each outcome."""

from collections.abc import Callable

import pytest

from probe import report
from probe.check import Outcome
from probe.deadline import Deadline
from probe.errors import CheckFailed, DeadlineExceeded, UsageError
from probe.http.response import Response
from probe.text import LINE_LIMIT
from probe.verdict import UNHEALTHY, Verdict
from testing.checks import judged, settings_of

RESPONSES = {
    "healthy": (Response(200, b"OK", {}, b""), {}, 0, ""),
    "healthy and told": (Response(200, b"OK", {}, b""), {"verbose": "1"}, 0, "healthy: GET URL: 200 OK (3 ms)\n"),
    "no reason": (Response(204, b"", {}, b""), {"verbose": "1", "expect": "204"}, 0, "healthy: GET URL: 204 (3 ms)\n"),
    "unexpected": (Response(503, b"No", {}, b"a\n b"), {}, 1, "unhealthy: GET URL: 503 No, expected 200 (3 ms): a b\n"),
    "no body": (Response(503, b"No", {}, b" \n"), {}, 1, "unhealthy: GET URL: 503 No, expected 200 (3 ms)\n"),
    "redirect": (
        Response(302, b"", {b"location": b"/a"}, b""),
        {},
        1,
        "unhealthy: GET URL: 302 to /a, expected 200 (3 ms)\n",
    ),
    "the first redirect": (
        Response(300, b"", {b"location": b"/a"}, b""),
        {},
        1,
        "unhealthy: GET URL: 300 to /a, expected 200 (3 ms)\n",
    ),
    "the last redirect": (
        Response(399, b"", {b"location": b"/a"}, b""),
        {},
        1,
        "unhealthy: GET URL: 399 to /a, expected 200 (3 ms)\n",
    ),
    "a place that is no redirect": (
        Response(299, b"", {b"location": b"/a"}, b""),
        {},
        1,
        "unhealthy: GET URL: 299, expected 200 (3 ms)\n",
    ),
    "a redirect to nowhere": (Response(399, b"", {}, b""), {}, 1, "unhealthy: GET URL: 399, expected 200 (3 ms)\n"),
    "no redirect any more": (
        Response(400, b"", {b"location": b"/a"}, b""),
        {},
        1,
        "unhealthy: GET URL: 400, expected 200 (3 ms)\n",
    ),
}


@pytest.mark.parametrize(("response", "texts", "exit_code", "line"), RESPONSES.values(), ids=list(RESPONSES))
def test_the_line_of_a_response(response: Response, texts: dict[str, str], exit_code: int, line: str) -> None:
    check = settings_of(**texts).check
    unmet = tuple(filter(None, (condition.unmet(response) for condition in check.conditions)))
    verdict = report.report(check, Outcome(response, unmet, None, 0.003))
    assert (verdict.exit_code, verdict.output.replace("http://127.0.0.1/health", "URL")) == (exit_code, line)


def failed(error: CheckFailed, elapsed: float) -> Verdict:
    return report.report(settings_of().check, Outcome(None, (), error, elapsed))


FAILURES = {
    "failed": (lambda: failed(CheckFailed("why"), 0.0104), "unhealthy: GET URL: why (10 ms)\n"),
    "failed after seconds": (lambda: failed(CheckFailed("why"), 59.9996), "unhealthy: GET URL: why (60000 ms)\n"),
    "late": (lambda: failed(DeadlineExceeded("late"), 2), "unhealthy: GET URL: late\n"),
    "usage error": (lambda: report.usage_error(UsageError("so")), "usage error: so\n"),
    "internal error": (lambda: report.internal_error(KeyError("\x1b")), "internal error: KeyError: '\\x1b'\n"),
    "internal error in capitals": (
        lambda: report.internal_error(ValueError("MAX")),
        "internal error: ValueError: MAX\n",
    ),
    "internal error without a word": (lambda: report.internal_error(MemoryError()), "internal error: MemoryError\n"),
}


@pytest.mark.parametrize(("make", "line"), FAILURES.values(), ids=list(FAILURES))
def test_the_line_of_another_end(make: Callable[[], Verdict], line: str) -> None:
    verdict = make()
    assert (verdict.exit_code, verdict.output.replace("http://127.0.0.1/health", "URL")) == (UNHEALTHY, line)


def test_a_line_has_at_most_the_promised_bytes() -> None:
    whole = "a" * (LINE_LIMIT - len("usage error: \n"))
    assert report.usage_error(UsageError(whole)).output == f"usage error: {whole}\n"
    assert len(report.usage_error(UsageError(f"{whole}a")).output.encode()) == LINE_LIMIT


def test_no_long_part_of_a_line_displaces_the_body() -> None:
    text = "a" * 2000
    check = settings_of(path=text, expect=",".join(["200"] * 500)).check
    response = Response(302, text.encode(), {b"location": text.encode()}, b"body")
    assert judged(check, response).output.endswith("… (1 ms): body\n")


def test_the_line_of_the_watchdog_names_the_timeout() -> None:
    check = settings_of(timeout="3s").check
    verdict = report.timed_out(check, Deadline(3, 0))
    assert verdict == Verdict(UNHEALTHY, "unhealthy: GET http://127.0.0.1/health: no reply within 3s\n")
