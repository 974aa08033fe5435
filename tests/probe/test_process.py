"""The end of the process: its line and its exit code, whatever its streams, readers and signals do."""

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

from probe import __main__, process
from probe.deadline import Deadline
from probe.verdict import HEALTHY, UNHEALTHY, Verdict

BOTH = frozenset((process.STDOUT, process.STDERR))
LINE = Verdict(UNHEALTHY, "line\n")


@pytest.fixture
def main(
    monkeypatch: pytest.MonkeyPatch, exit_code: Callable[[Callable[[], object]], int]
) -> Callable[[Callable[..., Verdict]], int]:
    """Runs the program with that function for its run. Returns the exit code."""

    def started(run: Callable[..., Verdict]) -> int:
        monkeypatch.setattr(__main__, "run", run)
        monkeypatch.setattr(process, "take_environment", dict)
        return exit_code(__main__.main)

    return started


@pytest.mark.parametrize("code", [HEALTHY, UNHEALTHY])
def test_output_goes_to_its_stream(
    main: Callable[[Callable[..., Verdict]], int], capfd: pytest.CaptureFixture[str], code: int
) -> None:
    assert main(lambda *_: Verdict(code, "line\n")) == code
    assert capfd.readouterr() == (("line\n", "") if code == HEALTHY else ("", "line\n"))


def test_a_verdict_without_output_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    process.emit(Verdict(HEALTHY, ""), BOTH)
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_is_one_line(
    main: Callable[[Callable[..., Verdict]], int], capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> Verdict:
        raise KeyboardInterrupt

    assert main(interrupted) == UNHEALTHY
    assert capfd.readouterr() == ("", "interrupted\n")


def test_only_the_first_interrupt_counts() -> None:
    for number in process.INTERRUPTS:
        signal.signal(number, signal.SIG_DFL)
    process.catch_interrupts()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    for number in process.INTERRUPTS:
        signal.raise_signal(number)


def test_an_interrupt_during_the_handling_of_the_first_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    signal.signal(signal.SIGTERM, process.interrupt)
    signal.signal(signal.SIGHUP, process.interrupt)
    ignore_interrupts = process.ignore_interrupts

    def interrupted() -> None:
        monkeypatch.setattr(process, "ignore_interrupts", ignore_interrupts)
        signal.raise_signal(signal.SIGHUP)

    monkeypatch.setattr(process, "ignore_interrupts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("handler", [process.interrupt, signal.SIG_IGN], ids=["heard", "not ours"])
def test_an_interrupt_while_the_line_is_written_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], handler: Any
) -> None:
    write = os.write
    signal.signal(signal.SIGTERM, handler)

    def interrupted(stream: int, data: bytes) -> int:
        signal.raise_signal(signal.SIGTERM)
        return write(stream, data)

    monkeypatch.setattr(os, "write", interrupted)
    process.ignore_interrupts()
    process.emit(LINE, BOTH)
    assert capfd.readouterr() == ("", "line\n")
    assert signal.getsignal(signal.SIGTERM) in (process.ignore, signal.SIG_IGN)


def test_the_executable_handles_interrupts_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(process, "arm", lambda *_: None)
    process.ignore_interrupts()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_stream_that_was_closed_at_the_start_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def closed(_: int) -> None:
        raise OSError

    monkeypatch.setattr(process, "os", types.SimpleNamespace(fstat=closed))
    streams = process.open_streams()
    assert streams == frozenset()
    process.emit(LINE, streams)
    assert capfd.readouterr() == ("", "")


def test_output_that_a_stream_takes_in_pieces_is_written_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []

    def write(_: int, data: bytes) -> int:
        written.append(data[:3])
        return len(data[:3])

    monkeypatch.setattr(os, "write", write)
    process.emit(LINE, BOTH)
    assert b"".join(written) == b"line\n"


def test_a_closed_pipe_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(os, "write", gone)
    process.emit(LINE, BOTH)


@pytest.fixture
def stalled(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Lets a write wait until this event is set, at most for ten seconds."""
    event = threading.Event()

    def write(_: int, data: bytes) -> int:
        event.wait(10)
        return len(data)

    monkeypatch.setattr(os, "write", write)
    return event


def test_a_reader_that_stalls_ends_the_process(monkeypatch: pytest.MonkeyPatch, stalled: threading.Event) -> None:
    exit_codes: list[int] = []

    def end(exit_code: int) -> None:
        exit_codes.append(exit_code)
        stalled.set()

    monkeypatch.setattr(os, "_exit", end)
    process.emit(LINE, BOTH)
    assert exit_codes == [UNHEALTHY]


def test_a_reader_in_time_ends_nothing(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    ended = threading.Event()
    monkeypatch.setattr(os, "_exit", lambda _: ended.set())
    process.emit(LINE, BOTH)
    assert not ended.wait(2 * process.WRITE_GRACE)
    assert capfd.readouterr().err == LINE.output


def test_without_a_second_thread_there_is_no_limit(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    process.emit(LINE, BOTH)
    assert capfd.readouterr().err == LINE.output


def test_the_executable_brings_a_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    arm = object()
    with monkeypatch.context() as frozen:
        frozen.setitem(sys.modules, "_watchdog", types.SimpleNamespace(arm=arm))
        assert importlib.reload(process).arm is arm
    assert importlib.reload(process).arm is None


def test_the_watchdog_gets_the_time_the_exit_code_and_the_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    orders: list[tuple[float, int, str]] = []
    monkeypatch.setattr(process, "arm", lambda *order: orders.append(order))
    early, overdue = Deadline(3, monotonic() - 1), Deadline(3, monotonic() - 10)
    process.arm_watchdog(early, LINE)
    process.arm_watchdog(overdue, LINE)
    process.emit(LINE, BOTH)
    assert early.watched
    assert 2.0 - 1 < orders[0][0] <= 2 + process.WATCH_GRACE
    assert orders[1:] == [(process.WATCH_GRACE, 1, "line\n"), (process.WRITE_GRACE, 1, "")]
    assert orders[0][1:] == (UNHEALTHY, "line\n")
    assert capfd.readouterr().err == "line\n"


def test_without_a_watchdog_the_deadline_is_kept_by_a_second_thread() -> None:
    deadline = Deadline(3, monotonic())
    process.arm_watchdog(deadline, LINE)
    assert not deadline.watched
