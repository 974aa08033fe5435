"""One deadline, also for what cannot be given a timeout."""

import _thread
import threading
from time import monotonic

import pytest

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
    deadline = Deadline(0.2, started)
    deadline.phase = "waiting"
    with pytest.raises(DeadlineExceeded, match="^no reply within 200ms, still waiting$"):
        run_before(deadline, lambda: release.wait(30))
    assert monotonic() - started < 5
    release.set()


def test_a_deadline_in_the_past_is_exceeded_at_once() -> None:
    with pytest.raises(DeadlineExceeded):
        Deadline(1, monotonic() - 2).remaining()


def test_a_sooner_deadline_leaves_half_of_the_time() -> None:
    deadline = Deadline(60, monotonic())
    assert 25 < deadline.capped(50).remaining() <= 30
    assert 5 < deadline.capped(10).remaining() <= 10
    with pytest.raises(DeadlineExceeded):
        Deadline(1, monotonic() - 2).capped(10).remaining()


def test_the_first_time_that_the_outcome_is_known_counts() -> None:
    deadline = Deadline(60, monotonic() - 10)
    assert deadline.took() >= 10
    deadline.mark_decided()
    known = deadline.took()
    deadline.started -= 10
    deadline.mark_decided()
    assert deadline.took() == known


def test_without_a_thread_to_be_had_the_call_is_made_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    assert run_before(Deadline(10, monotonic()), lambda: 5) == 5
    with pytest.raises(DeadlineExceeded):
        run_before(Deadline(0.05, monotonic()), lambda: threading.Event().wait(0.1))
