"""The deadline is total: whatever a server, a name server or a busy machine does, the line comes at its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from probe.text import format_duration
from testing import network, servers
from testing.certificates import Authority
from testing.deadlines import LATE, busy, ends_in_time
from testing.limits import limited_to
from testing.privileges import needs_root
from testing.program import Healthchecker, in_network, runner
from testing.servers import serving
from testing.tls_servers import shaking_hands
from testing.waiting import wait_for_connection

SILENT = {
    "says nothing": servers.wait_for_close,
    "status line by the byte": servers.dripping(b"HTTP/1.1 200 OK" * 50, 0.1),
    "headers by the byte": servers.dripping(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 1000, 0.02),
    "stops in the status line": servers.holding(b"HTTP/1.1 2"),
    "stops before the end of the headers": servers.holding(b"HTTP/1.1 200 OK\r\nA: b\r\n"),
    "interim replies for ever": servers.repeating(b"HTTP/1.1 102 Processing\r\n\r\n", 0.01),
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("behaviour", SILENT.values(), ids=list(SILENT))
def test_a_slow_server_holds_no_check(
    healthchecker: Healthchecker, authority: Authority, behaviour: servers.Behaviour, scheme: str
) -> None:
    tls = authority.context("127.0.0.1") if scheme == "https" else None
    with serving(behaviour, tls=tls) as port:
        url = f"{scheme}://127.0.0.1:{port}/"
        ends_in_time(lambda timeout: healthchecker(url, "-k", "-t", timeout), url)


@pytest.mark.parametrize(("stop", "pause"), [(0, 0), (7, 0), (300, 0), (None, 0.05)], ids=["0", "7", "300", "drip"])
def test_a_stalled_handshake_holds_no_check(
    healthchecker: Healthchecker, authority: Authority, stop: int | None, pause: float
) -> None:
    with serving(shaking_hands(authority.context("127.0.0.1"), stop, pause)) as port:
        url = f"https://127.0.0.1:{port}/"
        ends_in_time(lambda timeout: healthchecker(url, "-t", timeout), url, ", still in the TLS handshake")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_port_that_drops_packets_holds_no_check(healthchecker: Healthchecker, scheme: str) -> None:
    with network.full_port() as port:
        url = f"{scheme}://127.0.0.1:{port}/"
        ends_in_time(lambda timeout: healthchecker(url, "-t", timeout), url, ", still connecting to 127.0.0.1")


LOOK_UPS = {"silent": ", still looking up 'name.test'", "ten addresses": ", still connecting to 127.0.0.10"}


@needs_root
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("resolver", "phase"), LOOK_UPS.items(), ids=list(LOOK_UPS))
def test_a_look_up_without_an_end_holds_no_check(
    command: list[str], tmp_path: Path, resolver: str, phase: str, scheme: str
) -> None:
    run = in_network(resolver, command, tmp_path)
    url = f"{scheme}://name.test:{network.FULL_PORT}/"
    ends_in_time(lambda timeout: run(url, "-t", timeout), url, phase)


UNKNOWN = {
    "absent": "temporary failure in name resolution",
    "failing": "temporary failure in name resolution",
    "cut short": "temporary failure in name resolution",
    "unknowing": "name or service not known",
}


@needs_root
@pytest.mark.parametrize(("resolver", "reason"), UNKNOWN.items(), ids=list(UNKNOWN))
def test_a_name_that_is_not_known_is_said_at_once(
    command: list[str], tmp_path: Path, resolver: str, reason: str
) -> None:
    run = in_network(resolver, command, tmp_path)("--host=name.test", "-t=20")
    assert (run.status, run.stdout) == (1, "")
    assert f": cannot look up 'name.test': {reason} (" in run.stderr
    assert run.seconds < 10


@needs_root
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_without_a_thread_the_watchdog_ends_the_check(binary: Path, tmp_path: Path, scheme: str) -> None:
    run = in_network("silent", [*limited_to(0), str(binary)], tmp_path)
    url = f"{scheme}://name.test/"
    ends_in_time(lambda timeout: run(url, "-t", timeout), url)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_busy_cores_hold_no_check(healthchecker: Healthchecker, authority: Authority, scheme: str) -> None:
    tls = authority.context("127.0.0.1") if scheme == "https" else None
    with serving(servers.wait_for_close, tls=tls) as port, busy():
        url = f"{scheme}://127.0.0.1:{port}/"
        ends_in_time(lambda timeout: healthchecker(url, "-k", "-t", timeout), url)


@pytest.mark.parametrize("timeout", [0.001, 0.01, 0.03, 0.06])
def test_the_deadline_counts_during_imports(healthchecker: Healthchecker, authority: Authority, timeout: float) -> None:
    with serving(servers.wait_for_close, tls=authority.context("127.0.0.1")) as port, busy():
        run = healthchecker(f"https://127.0.0.1:{port}", "-k", "-t", f"{timeout}s")
    assert f": no reply within {format_duration(timeout)}" in run.failure()
    assert run.seconds < timeout + LATE


def interrupted(command: list[str], *numbers: str, url: str) -> tuple[int, bytes]:
    """How a check ends that gets these signals in the middle, one behind the other; its line."""
    # A shell's background job would have interrupts ignored; env gives them their meaning back.
    checking = subprocess.Popen(["env", "--default-signal", *command, url, "-k", "-t=20"], stderr=subprocess.PIPE)
    wait_for_connection(checking.pid)
    for number in numbers:
        checking.send_signal(signal.Signals[number])
    _, line = checking.communicate(timeout=20)
    return checking.returncode, line


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGXCPU"])
def test_an_interrupt_is_one_line_and_1(command: list[str], number: str) -> None:
    with serving(servers.wait_for_close) as port:
        assert interrupted(command, number, url=f"http://127.0.0.1:{port}") == (1, b"interrupted\n")


def test_several_interrupts_are_one_line(binary: Path, authority: Authority) -> None:
    """Also where a second thread could hear the second one."""
    with serving(servers.wait_for_close, tls=authority.context("127.0.0.1")) as port:
        for _ in range(20):
            ended = interrupted([str(binary)], "SIGTERM", "SIGHUP", "SIGALRM", url=f"https://127.0.0.1:{port}")
            assert ended == (1, b"interrupted\n")


def test_interrupts_at_once_are_one_line(command: list[str], authority: Authority) -> None:
    with serving(servers.wait_for_close, tls=authority.context("127.0.0.1")) as port:
        for _ in range(20):
            ended = interrupted(command, "SIGTERM", "SIGHUP", "SIGINT", url=f"https://127.0.0.1:{port}")
            assert ended == (1, b"interrupted\n")


def test_an_interrupt_when_the_line_is_due_does_not_take_it_away(binary: Path, tmp_path: Path) -> None:
    """Each call of setitimer in turn comes with a SIGTERM; the last is that before the line is written."""
    with serving(servers.replying(b"HTTP/1.1 503 No\r\n\r\n")) as port:
        for call in range(1, 8):
            strace = ["strace", "-o", "/dev/null", "-f", "-e", "trace=setitimer"]
            inject = ["-e", f"inject=setitimer:signal=SIGTERM:when={call}"]
            run = runner([*strace, *inject, str(binary)], tmp_path)(f"-port={port}", PATH=os.environ["PATH"])
            assert (run.status, run.stderr.count("\n")) == (1, 1), call


# Starts a program with timers of its own, with their signals and others blocked, and one of them waiting.
PARENT = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGPROF, signal.SIGINT, signal.SIGSEGV])
for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
    signal.setitimer(timer, 0.01)
os.kill(os.getpid(), signal.SIGALRM)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_timers_and_blocked_signals_of_the_parents_are_no_matter(binary: Path, tmp_path: Path) -> None:
    run = runner([sys.executable, "-c", PARENT, str(binary)], tmp_path)
    with serving(servers.wait_for_close) as port:
        ends_in_time(lambda timeout: run(f"-port={port}", "-t", timeout), f"http://127.0.0.1:{port}/health")
