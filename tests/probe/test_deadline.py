"""One deadline, also for what cannot be given a timeout."""

import _thread
import threading
from time import monotonic

import pytest

from probe import deadline
from probe.deadline import Deadline, run_before
from probe.errors import DeadlineExceeded


def test_a_result_in_time_is_returned() -> None:
    assert run_before(Deadline(10, monotonic()), lambda: 5) == 5


def test_an_error_in_time_is_raised() -> None:
    with pytest.raises(KeyError):
        run_before(Deadline(10, monotonic()), lambda: dict[str, int]()["a"])


def test_a_call_that_is_late_is_not_waited_for() -> None:
    release = threading.Event()
    started = monotonic()
    soon = Deadline(0.2, started, phase="waiting")
    with pytest.raises(DeadlineExceeded, match="^no reply within 200ms, still waiting$"):
        run_before(soon, lambda: release.wait(30))
    assert monotonic() - started < 5
    release.set()


@pytest.mark.parametrize("passed", [2, 5], ids=["now", "in the past"])
def test_a_deadline_that_has_come_is_exceeded_at_once(monkeypatch: pytest.MonkeyPatch, passed: int) -> None:
    monkeypatch.setattr(deadline, "monotonic", lambda: passed)
    with pytest.raises(DeadlineExceeded):
        Deadline(timeout=2, started=0).remaining()


def test_a_capped_deadline_leaves_half_of_the_time() -> None:
    late = Deadline(60, monotonic())
    assert 25 < late.capped(50).remaining() <= 30
    assert 5 < late.capped(10).remaining() <= 10
    with pytest.raises(DeadlineExceeded):
        Deadline(1, monotonic() - 2).capped(10).remaining()


def test_the_first_time_that_the_outcome_is_known_counts() -> None:
    late = Deadline(60, monotonic() - 10)
    assert late.took() >= 10
    late.mark_decided()
    known = late.took()
    late.started -= 10
    late.mark_decided()
    assert late.took() == known


def test_without_a_second_thread_the_call_runs_in_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    assert run_before(Deadline(10, monotonic()), lambda: 5) == 5
    with pytest.raises(DeadlineExceeded):
        run_before(Deadline(0.05, monotonic()), lambda: threading.Event().wait(0.1))
