"""The whole program, in this process: what the exit status is, and what is left of the environment."""

import os
import posix
import runpy
import signal
import sys
import threading
from collections.abc import Callable
from time import monotonic

import pytest

from probe import __main__, __version__, process, renewal
from probe.verdict import HEALTHY, UNHEALTHY, Verdict
from testing import servers
from testing.arguments import EQUIVALENT, MISTAKES
from testing.servers import serving

ExitCode = Callable[[Callable[[], object]], int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, exit_code: ExitCode) -> Callable[..., int]:
    """Runs the program with arguments and, as keywords, the environment. Returns the exit code."""

    def started(*arguments: str, **environ: str) -> int:
        monkeypatch.setattr(sys, "argv", ["healthchecker", *arguments])
        monkeypatch.setattr(posix, "environ", {name.encode(): value.encode() for name, value in environ.items()})
        return exit_code(__main__.main)

    return started


@pytest.mark.parametrize("arguments", [["-port=PORT"], ["-pPORT"]], ids=["ordinary", "click's"])
def test_a_healthy_check_is_0(run: Callable[..., int], arguments: list[str]) -> None:
    with serving(servers.replying(servers.OK)) as port:
        assert run(*[argument.replace("PORT", str(port)) for argument in arguments]) == 0


def test_the_environment_is_read_and_then_emptied(run: Callable[..., int], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(HEALTHCHECKER_PORT=str(servers.free_port()), http_proxy="http://127.0.0.1:1") == 1
    assert "connection refused" in capfd.readouterr().err
    assert not posix.environ


def test_a_variable_that_cannot_be_unset_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    unset: list[bytes] = []

    def unsetenv(name: bytes) -> None:
        if not name:
            raise OSError(22, "Invalid argument")
        unset.append(name)

    monkeypatch.setattr(os, "unsetenv", unsetenv)
    monkeypatch.setattr(posix, "environ", {b"": b"x", b"A": b"y"})
    assert process.take_environment() == {b"": b"x", b"A": b"y"}
    assert unset == [b"A"]


def test_an_interrupt_before_all_else_is_one_line(
    run: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> Verdict:
        raise KeyboardInterrupt

    monkeypatch.setattr(__main__, "run", interrupted)
    assert run() == 1
    assert capfd.readouterr() == ("", "interrupted\n")


def test_python_m_runs_it(
    monkeypatch: pytest.MonkeyPatch, exit_code: ExitCode, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(posix, "environ", {})
    monkeypatch.setattr(sys, "argv", ["healthchecker", "--version"])
    monkeypatch.delitem(sys.modules, "probe.__main__")
    assert exit_code(lambda: runpy.run_module("probe", run_name="__main__")) == HEALTHY
    assert capfd.readouterr().out == f"healthchecker {__version__}\n"


@pytest.mark.parametrize("handler", [signal.SIG_DFL, signal.SIG_IGN], ids=["heard", "ignored"])
def test_the_signals_that_end_it_interrupt_it_unless_they_are_ignored(
    run: Callable[..., int], monkeypatch: pytest.MonkeyPatch, handler: int
) -> None:
    heard: list[object] = []

    def look(*_: object) -> Verdict:
        heard.extend(signal.getsignal(number) for number in process.INTERRUPTS)
        return Verdict(HEALTHY, "")

    for number in process.INTERRUPTS:
        signal.signal(number, handler)
    monkeypatch.setattr(__main__, "run", look)
    assert run() == 0
    assert set(heard) == {process.interrupt if handler == signal.SIG_DFL else handler}


def test_in_the_executable_interrupts_are_left_to_its_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(process, "arm", lambda *_: None)
    process.catch_interrupts()
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_the_executable_put_off_is_done_once_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(renewal, "renewals", [lambda: done.append("first"), lambda: done.append("second")])
    renewal.renew()
    renewal.renew()
    assert done == ["first", "second"]


def answered(*arguments: str, **environ: str) -> Verdict:
    environment = {name.encode(): value.encode() for name, value in environ.items()}
    return __main__.run(list(arguments), environment, monotonic())


@pytest.mark.parametrize(("arguments", "environ", "words"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_is_told_before_anything_is_sent(
    arguments: list[str], environ: dict[str, str], words: list[str]
) -> None:
    verdict = answered(*arguments, **environ)
    assert (verdict.exit_code, verdict.output.startswith("usage error: ")) == (UNHEALTHY, True)
    assert all(word in verdict.output for word in words)


@pytest.mark.parametrize("arguments", EQUIVALENT.values(), ids=list(EQUIVALENT))
def test_every_spelling_is_the_same_check(arguments: list[str]) -> None:
    port = servers.free_port()
    assert f":{port}" in answered(*[argument.replace("PORT", str(port)) for argument in arguments]).output


def test_help_and_version_are_answers() -> None:
    assert answered("--version").output == answered("-version").output == f"healthchecker {__version__}\n"
    assert answered("--help").output == answered("-h").output == answered("-help").output
    assert answered("--help").output.startswith("Usage: healthchecker [OPTIONS] [URL]\n")


@pytest.mark.parametrize("arguments", [["-port={}"], ["-p{}"]], ids=["fast path", "click"])
def test_a_check_is_made_and_timed(arguments: list[str]) -> None:
    with serving(servers.replying(servers.OK)) as port:
        filled = [argument.format(port) for argument in arguments]
        assert answered(*filled) == Verdict(HEALTHY, "")
    assert "connection refused (" in answered(*filled).output


def test_a_file_that_cannot_be_used_is_a_usage_error() -> None:
    verdict = answered("https://localhost:1/", "--cacert=/nonexistent", "-t=20")
    assert verdict.output.startswith("usage error: --cacert: cannot read '/nonexistent': no such file or directory")


def test_a_file_system_that_does_not_answer_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(_: str) -> None:
        release.wait(30)

    monkeypatch.setattr("probe.transport.trust.from_file", hang)
    verdict = answered("https://localhost:1/", "--cacert=/nonexistent", "-t=200ms")
    release.set()
    assert verdict.output == "unhealthy: GET https://localhost:1/: no reply within 200ms, still getting ready for TLS\n"


def test_a_file_is_not_read_without_tls() -> None:
    assert "connection refused" in answered(f"http://localhost:{servers.free_port()}/", "--cacert=/nonexistent").output


def test_a_fault_of_the_program_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("odd")

    monkeypatch.setattr("probe.fast_path.parse", fail)
    assert answered() == Verdict(UNHEALTHY, "internal error: ValueError: odd\n")
