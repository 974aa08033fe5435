"""The end of a run: a verdict, its line, and its exit status, whatever happens on the way."""

import importlib
import os
import signal
import sys
import threading
import types
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from probe import verdict, watchdog
from probe.deadline import Deadline
from probe.errors import CheckFailed, DeadlineExceeded, UsageError
from probe.reply import Reply
from probe.verdict import HEALTHY, UNHEALTHY, Verdict
from probe.watchdog import limit
from testing import servers
from testing.checks import check_of
from testing.servers import serving

REPLIES = {
    "healthy": (Reply(200, b"OK", {}, b""), {}, 0, ""),
    "healthy and told": (Reply(200, b"OK", {}, b""), {"verbose": "1"}, 0, "healthy: GET URL: 200 OK (3 ms)\n"),
    "no reason": (Reply(204, b"", {}, b""), {"verbose": "1", "expect": "204"}, 0, "healthy: GET URL: 204 (3 ms)\n"),
    "unexpected": (Reply(503, b"No", {}, b"a\n b"), {}, 1, "unhealthy: GET URL: 503 No, expected 200 (3 ms): a b\n"),
    "no body": (Reply(503, b"No", {}, b" \n"), {}, 1, "unhealthy: GET URL: 503 No, expected 200 (3 ms)\n"),
    "redirect": (
        Reply(302, b"", {b"location": b"/a"}, b""),
        {},
        1,
        "unhealthy: GET URL: 302 to /a, expected 200 (3 ms)\n",
    ),
    "a place that is no redirect": (
        Reply(201, b"", {b"location": b"/a"}, b""),
        {},
        1,
        "unhealthy: GET URL: 201, expected 200 (3 ms)\n",
    ),
    "a redirect to nowhere": (Reply(399, b"", {}, b""), {}, 1, "unhealthy: GET URL: 399, expected 200 (3 ms)\n"),
    "no redirect any more": (
        Reply(400, b"", {b"location": b"/a"}, b""),
        {},
        1,
        "unhealthy: GET URL: 400, expected 200 (3 ms)\n",
    ),
}


@pytest.mark.parametrize(("reply", "texts", "status", "line"), REPLIES.values(), ids=list(REPLIES))
def test_the_verdict_on_a_reply(reply: Reply, texts: dict[str, str], status: int, line: str) -> None:
    outcome = verdict.replied(check_of(**texts), reply, 0.003)
    assert (outcome.status, outcome.output.replace("http://127.0.0.1/health", "URL")) == (status, line)


FAILURES: dict[str, tuple[Callable[[], Verdict], str]] = {
    "failed": (lambda: verdict.failed(check_of(), CheckFailed("why"), 0.0104), "unhealthy: GET URL: why (10 ms)\n"),
    "late": (lambda: verdict.failed(check_of(), DeadlineExceeded("late"), 2), "unhealthy: GET URL: late\n"),
    "misused": (lambda: verdict.misused(UsageError("so")), "usage error: so\n"),
    "broken": (lambda: verdict.broken(KeyError("\x1b")), "internal error: KeyError: '\\x1b'\n"),
    "broken without a word": (lambda: verdict.broken(MemoryError()), "internal error: MemoryError\n"),
}


@pytest.mark.parametrize(("make", "line"), FAILURES.values(), ids=list(FAILURES))
def test_other_ends(make: Callable[[], Verdict], line: str) -> None:
    outcome = make()
    assert (outcome.status, outcome.output.replace("http://127.0.0.1/health", "URL")) == (UNHEALTHY, line)


def test_a_check_is_made_and_timed() -> None:
    with serving(servers.replying(servers.OK)) as port:
        assert verdict.reach(check_of(port=str(port)), monotonic()).status == HEALTHY
    assert "connection refused (" in verdict.reach(check_of(port=str(port)), monotonic()).output


def test_certificates_that_cannot_be_used_are_a_mistake() -> None:
    outcome = verdict.reach(check_of(url="https://localhost:1/", cacert="/nonexistent", timeout="20"), monotonic())
    assert outcome.output.startswith("usage error: --cacert: cannot read '/nonexistent': no such file or directory")


@pytest.mark.parametrize("status", [HEALTHY, UNHEALTHY])
def test_output_goes_to_its_stream(capfd: pytest.CaptureFixture[str], status: int) -> None:
    assert verdict.conclude(lambda: Verdict(status, "line\n")) == status
    assert capfd.readouterr() == (("line\n", "") if status == HEALTHY else ("", "line\n"))


def test_no_output_is_none(capfd: pytest.CaptureFixture[str]) -> None:
    assert verdict.conclude(lambda: Verdict(HEALTHY, "")) == HEALTHY
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "line"),
    [(KeyboardInterrupt(), "interrupted\n"), (ValueError("odd"), "internal error: ValueError: odd\n")],
    ids=["interrupt", "fault"],
)
def test_no_exception_gets_out(capfd: pytest.CaptureFixture[str], error: BaseException, line: str) -> None:
    def answer() -> Verdict:
        raise error

    assert verdict.conclude(answer) == UNHEALTHY
    assert capfd.readouterr() == ("", line)


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_DFL], ids=["heard", "not ours"])
def test_an_interrupt_while_the_line_is_written_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], handler: Any
) -> None:
    write = os.write
    signal.signal(signal.SIGTERM, handler)

    def interrupted(stream: int, data: bytes) -> int:
        if handler is signal.default_int_handler:
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        return write(stream, data)

    monkeypatch.setattr(os, "write", interrupted)
    assert verdict.conclude(lambda: Verdict(UNHEALTHY, "line\n")) == UNHEALTHY
    assert capfd.readouterr() == ("", "line\n")
    assert signal.getsignal(signal.SIGTERM) in (signal.SIG_IGN, signal.SIG_DFL)


def test_in_the_executable_interrupts_are_left_to_its_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(watchdog, "arm", lambda *_: None)
    assert verdict.conclude(lambda: Verdict(HEALTHY, "")) == HEALTHY
    assert signal.getsignal(signal.SIGINT) is before


def test_a_stream_that_was_closed_at_the_start_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def closed(_: int) -> None:
        raise OSError

    monkeypatch.setattr(verdict, "os", types.SimpleNamespace(fstat=closed))
    assert verdict.conclude(lambda: Verdict(UNHEALTHY, "line\n")) == UNHEALTHY
    assert capfd.readouterr() == ("", "")


def test_what_a_stream_takes_in_pieces_is_written_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []

    def write(_: int, data: bytes) -> int:
        written.append(data[:3])
        return len(data[:3])

    monkeypatch.setattr(os, "write", write)
    Verdict(UNHEALTHY, "a line\n").emit(frozenset((1, 2)))
    assert b"".join(written) == b"a line\n"


def test_a_reader_that_is_gone_is_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(os, "write", gone)
    Verdict(UNHEALTHY, "a line\n").emit(frozenset((1, 2)))


def test_what_is_not_read_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    statuses: list[int] = []

    def end(status: int) -> None:
        statuses.append(status)
        ended.set()

    monkeypatch.setattr(os, "_exit", end)
    with limit(0.001, UNHEALTHY):
        assert ended.wait(10)
    assert statuses == [UNHEALTHY]


def test_what_is_read_in_time_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(os, "_exit", lambda _: ended.set())
    with limit(0.05, UNHEALTHY):
        pass
    assert not ended.wait(0.2)


def test_the_watchdog_is_there_where_the_executable_brings_one(monkeypatch: pytest.MonkeyPatch) -> None:
    arm = object()
    with monkeypatch.context() as frozen:
        frozen.setitem(sys.modules, "_watchdog", types.SimpleNamespace(arm=arm))
        assert importlib.reload(watchdog).arm is arm
    assert importlib.reload(watchdog).arm is None


def test_without_a_thread_to_be_had_the_reader_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with limit(0.05, UNHEALTHY):
        pass


def test_the_executables_watchdog_is_told_when_and_with_what_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    orders: list[tuple[float, int, str]] = []
    monkeypatch.setattr(watchdog, "arm", lambda *order: orders.append(order))
    verdict.watch(check_of(timeout="3s"), Deadline(3, monotonic() - 1))
    verdict.watch(check_of(timeout="3s"), Deadline(3, monotonic() - 10))
    with limit(0.1, UNHEALTHY):
        pass
    (due, *rest), (overdue, *_), last = orders
    assert rest == [UNHEALTHY, "unhealthy: GET http://127.0.0.1/health: no reply within 3s\n"]
    assert 2.0 < due <= 2 + verdict.WATCH_GRACE
    assert overdue == verdict.WATCH_GRACE
    assert last == (0.1, UNHEALTHY, "")
