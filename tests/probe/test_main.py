"""The whole program, in this process: what the exit status is, and what is left of the environment."""

import os
import posix
import runpy
import signal
import sys
from collections.abc import Callable
from time import monotonic

import pytest

from probe import __main__, __version__, cli, hot, renewal, watchdog
from probe.check import Check
from probe.errors import UsageError
from probe.verdict import Verdict
from testing import servers
from testing.arguments import EQUIVALENT, MISTAKES
from testing.servers import serving


class Ended(BaseException):
    """Raised in the place of the process's end."""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs the program with arguments and, as keywords, the environment; its exit status."""

    def end(status: int) -> None:
        raise Ended(status)

    def started(*arguments: str, **environ: str) -> int:
        monkeypatch.setattr(sys, "argv", ["healthchecker", *arguments])
        monkeypatch.setattr(posix, "environ", {name.encode(): value.encode() for name, value in environ.items()})
        monkeypatch.setattr(os, "_exit", end)
        with pytest.raises(Ended) as ended:
            __main__.main()
        status: int = ended.value.args[0]
        return status

    return started


@pytest.mark.parametrize("arguments", [["-port=PORT"], ["-pPORT"]], ids=["ordinary", "click's"])
def test_a_healthy_check_is_0(run: Callable[..., int], arguments: list[str]) -> None:
    with serving(servers.replying(servers.OK)) as port:
        assert run(*[argument.replace("PORT", str(port)) for argument in arguments]) == 0


def test_the_environment_is_read_and_then_emptied(run: Callable[..., int], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(HEALTHCHECKER_PORT=str(servers.free_port()), http_proxy="http://127.0.0.1:1") == 1
    assert "connection refused" in capfd.readouterr().err
    assert not posix.environ


def test_a_variable_that_cannot_be_unset_is_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(servers.replying(servers.OK)) as port:
        monkeypatch.setattr(posix, "environ", {b"": b"x"})
        assert __main__.run([f"-port={port}"], monotonic()) == 0


def test_an_interrupt_before_all_else_is_one_line(
    run: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(__main__, "run", interrupted)
    assert run() == 1
    assert capfd.readouterr() == ("", "interrupted\n")


def test_python_m_runs_it(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def end(status: int) -> None:
        raise Ended(status)

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(posix, "environ", {})
    monkeypatch.setattr(sys, "argv", ["healthchecker", "--version"])
    monkeypatch.delitem(sys.modules, "probe.__main__")
    with pytest.raises(Ended):
        runpy.run_module("probe", run_name="__main__")
    assert capfd.readouterr().out == f"healthchecker {__version__}\n"


@pytest.mark.parametrize("handler", [signal.SIG_DFL, signal.SIG_IGN], ids=["heard", "ignored"])
def test_the_signals_that_end_it_interrupt_it_unless_they_are_ignored(
    run: Callable[..., int], monkeypatch: pytest.MonkeyPatch, handler: int
) -> None:
    heard: list[object] = []

    def look(*_: object) -> int:
        heard.extend(signal.getsignal(number) for number in watchdog.INTERRUPTS)
        return 0

    for number in watchdog.INTERRUPTS:
        signal.signal(number, handler)
    monkeypatch.setattr(__main__, "run", look)
    assert run() == 0
    assert set(heard) == {signal.default_int_handler if handler == signal.SIG_DFL else handler}


def test_in_the_executable_interrupts_are_left_to_its_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(watchdog, "arm", lambda *_: None)
    watchdog.hear_interrupts()
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_the_executable_put_off_is_done_once_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(renewal, "renewals", [lambda: done.append("first"), lambda: done.append("second")])
    renewal.renew()
    renewal.renew()
    assert done == ["first", "second"]


def answered(*arguments: str, **environ: str) -> Verdict:
    return cli.answer(list(arguments), {name.encode(): value.encode() for name, value in environ.items()}, monotonic())


@pytest.mark.parametrize(("arguments", "environ", "words"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_is_told_before_anything_is_sent(
    arguments: list[str], environ: dict[str, str], words: list[str]
) -> None:
    outcome = answered(*arguments, **environ)
    assert (outcome.status, outcome.output.startswith("usage error: ")) == (1, True)
    assert all(word in outcome.output for word in words)


@pytest.mark.parametrize("arguments", EQUIVALENT.values(), ids=list(EQUIVALENT))
def test_every_spelling_is_the_same_check(arguments: list[str]) -> None:
    made = cli.parse([argument.replace("PORT", "6767") for argument in arguments], {})
    assert isinstance(made, Check)
    assert made.target.port == 6767


def test_help_and_version_are_answers() -> None:
    assert answered("--version").output == answered("-version").output == f"healthchecker {__version__}\n"
    assert answered("--help").output == answered("-h").output == answered("-help").output
    assert answered("--help").output.startswith("Usage: healthchecker [OPTIONS] [URL]\n")


def test_a_check_is_answered_by_click_too() -> None:
    assert "connection refused" in answered("-p", str(servers.free_port())).output


def test_the_shortcut_answers_the_ordinary() -> None:
    outcome = hot.answer([f"-port={servers.free_port()}"], {}, monotonic())
    assert outcome
    assert "connection refused" in outcome.output


def test_the_shortcut_says_which_option_was_wrong_where_that_shows_late() -> None:
    outcome = hot.answer(["https://localhost:1/", "--cacert=/nonexistent", "-t=20"], {}, monotonic())
    assert outcome
    assert outcome.output.startswith("usage error: --cacert: cannot read '/nonexistent'")


@pytest.mark.parametrize("arguments", [["--prot=1"], ["-pX"]])
def test_the_shortcut_answers_nothing_that_is_not_ordinary(arguments: list[str]) -> None:
    assert hot.answer(arguments, {}, monotonic()) is None
    with pytest.raises(UsageError):
        cli.parse(arguments, {})
