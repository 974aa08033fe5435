"""The licences that the Python package shows."""

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import time
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path

import pytest

from probe import __version__, licenses, process
from probe.__main__ import run
from testing.project import ROOT
from testing.waiting import PATIENCE, wait_until


@pytest.mark.parametrize("name", ["certifi", "charset-normalizer", "click", "idna", "requests", "urllib3"])
def test_each_package_that_it_needs_is_listed_with_its_licence_text(name: str) -> None:
    text = licenses.text()
    assert f"\n{name} {version(name)}: " in text
    files = [file for file in distribution(name).files or [] if file.name.startswith("LICENSE")]
    for file in files:
        assert Path(str(file.locate())).read_text().strip() in text
    assert files


def test_its_own_licence_comes_first() -> None:
    text = licenses.text()
    assert text.startswith(f"healthchecker-probe {__version__}: MIT")
    assert text.index((ROOT / "LICENSE").read_text().strip()) < text.index("Apache License")


def test_what_is_for_another_system_or_has_no_metadata_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str) -> Distribution:
        if name in ("idna", "colorama"):
            raise PackageNotFoundError(name)
        return EmptyMetadata() if name == "certifi" else distribution(name)

    monkeypatch.setattr(licenses, "distribution", found)
    listed = [component.name for component in licenses.needed(licenses.DISTRIBUTION)]
    assert listed == ["charset-normalizer", "click", "requests", "urllib3"]


class EmptyMetadata(Distribution):
    """A package of which hardly anything is left."""

    def read_text(self, filename: str) -> str:  # noqa: ARG002
        return ""

    def locate_file(self, path: object) -> Path:
        raise NotImplementedError


def test_a_copy_that_is_not_installed_names_its_own_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(licenses, "distribution", nothing)
    assert licenses.text() == f"healthchecker {__version__}: MIT\n"


def test_a_component_without_a_text_is_only_listed() -> None:
    part = licenses.Component("part", "1.0", "MIT", "", "pkg:pypi/part@1.0")
    assert licenses.render(part, "With it:", [part._replace(text="The terms.")]) == (
        f"part 1.0: MIT\n\nWith it:\n\npart 1.0: MIT\n\n{licenses.RULER}\npart 1.0\n{licenses.RULER}\n\nThe terms.\n"
    )


def test_the_text_is_written_whole(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--licenses"], {}, time.monotonic()).exit_code == 0
    assert capfd.readouterr() == (licenses.text(), "")


def test_what_cannot_be_written_is_said_and_a_reader_who_left_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with Path("/dev/full").open("w") as full, os.fdopen(writing, "w") as pipe:
        for stream, outcome in ((full, (1, "cannot write the licences: no space left on device\n")), (pipe, (0, ""))):
            monkeypatch.setattr(process, "STDOUT", stream.fileno())
            verdict = process.page("text", "the licences")
            assert (verdict.exit_code, verdict.output) == outcome


def test_a_pager_gets_all_of_it(command: list[str]) -> None:
    late = [sys.executable, "-c", "import sys, time; time.sleep(0.5); sys.stdout.write(sys.stdin.read())"]
    whole = subprocess.run([*command, "--licenses"], capture_output=True, timeout=PATIENCE).stdout
    assert len(whole) > 16_384
    for blocking in (True, False):
        with subprocess.Popen(late, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
            assert reader.stdin is not None
            assert reader.stdout is not None
            fcntl.fcntl(reader.stdin, fcntl.F_SETPIPE_SZ, 4096)
            os.set_blocking(reader.stdin.fileno(), blocking)
            done = subprocess.run(
                [*command, "--licenses"], stdout=reader.stdin, stderr=subprocess.PIPE, timeout=PATIENCE
            )
            reader.stdin.close()
            assert (done.returncode, done.stderr, reader.stdout.read()) == (0, b"", whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: str(number.name))
def test_a_reader_who_does_not_read_can_be_left(command: list[str], number: signal.Signals) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    heard = ["env", "--default-signal", *command]  # what a background job ignores would be ignored
    with subprocess.Popen([*heard, "--licenses"], stdout=writing, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        wait_until("the pipe is full", lambda: pending(reading) >= 4096)
        process.send_signal(number)
        assert (process.wait(PATIENCE), process.stderr.read()) == (1, b"interrupted\n")
    os.close(reading)
    os.close(writing)


def pending(pipe: int) -> int:
    """The bytes that wait in a pipe."""
    (count,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"    "))
    return int(count)


def test_what_cannot_be_written_is_told(command: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*command, "--licenses"], stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (1, b"cannot write the licences: no space left on device\n")


def test_a_reader_who_has_left_is_no_error(command: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*command, "--licenses"], stdout=writing, stderr=subprocess.PIPE, timeout=PATIENCE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
