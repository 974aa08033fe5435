"""The executable in surroundings that the tests make, the runs that have to come out right in all, a second program."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import servers
from tests.certificates import Authority
from tests.conftest import PATIENCE
from tests.servers import serving

SECOND = Path(__file__).parent / "second"
SOURCES = Path(__file__).parents[2] / ".build" / "bootloader"

Start = Callable[[list[str]], subprocess.CompletedProcess[bytes]]


class Case(NamedTuple):
    """One run: its arguments, and how it has to end."""

    arguments: list[str]
    status: int
    stdout: str = ""  # how it begins
    stderr: str = ""  # what it contains


@pytest.fixture(scope="session")
def cases(authority: Authority) -> Iterator[dict[str, Case]]:
    """Runs that together go through all parts of the program: threads, click, requests, TLS."""
    with (
        serving(servers.replying(servers.OK)) as http,
        serving(servers.replying(servers.OK), tls=authority.context("127.0.0.1")) as https,
    ):
        closed = servers.free_port()
        yield {
            "healthy": Case([f"-port={http}", "-t=20"], 0),
            "verbose": Case([f"-port={http}", "-v", "-t=20"], 0, stdout="healthy: "),
            "refused": Case([f"-port={closed}", "-t=20"], 1, stderr="connection refused"),
            "unexpected": Case([f"-port={http}", "-expect=204", "-t=20"], 1, stderr="200 OK, expected 204"),
            "help": Case(["--help"], 0, stdout="Usage: healthchecker"),
            "mistake": Case(["-prot=1"], 1, stderr="usage error: '-prot' is not an option"),
            "https": Case([f"https://127.0.0.1:{https}", "-k", "-t=20"], 0),
            "https, not trusted": Case([f"https://127.0.0.1:{https}", "-t=20"], 1, stderr="certificate not trusted: "),
        }


def assert_all_come_out_right(cases: dict[str, Case], start: Start) -> None:
    """Every case, started by `start` with its arguments, ends as it has to, and says no more than one line."""
    for name, case in cases.items():
        done = start(case.arguments)
        outcome = (name, done.returncode, done.stdout.decode(), done.stderr.decode())
        assert done.returncode == case.status, outcome
        assert done.stdout.decode().startswith(case.stdout), outcome
        assert case.stderr in done.stderr.decode(), outcome
        assert done.stderr.count(b"\n") == case.status, outcome


def start(command: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run to the end, with an empty environment unless another is given."""
    settings: dict[str, object] = {"env": {}, "stdin": subprocess.DEVNULL, "capture_output": True, "timeout": PATIENCE}
    return subprocess.run(command, **(settings | options))  # type: ignore[call-overload, no-any-return]


def pyinstaller(folder: Path, *arguments: str) -> None:
    """Freeze a program, into the folder."""
    command = [str(Path(sys.executable).parent / "pyinstaller"), "--log-level=ERROR", f"--workpath={folder / 'work'}"]
    environ = os.environ | {"WORK": str(folder / "bootloader")}
    subprocess.run([*command, f"--distpath={folder}", *arguments], check=True, env=environ, timeout=600, cwd=folder)


@pytest.fixture(scope="session")
def newest(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The second program, frozen as the first one is."""
    del binary  # its build leaves the source of CPython, which this one need not fetch again
    folder = tmp_path_factory.mktemp("newest")
    (folder / "bootloader").mkdir()
    for source in SOURCES.glob("python3*"):
        (folder / "bootloader" / source.name).symlink_to(source)
    pyinstaller(folder, str(SECOND / "newest.spec"))
    return folder / "newest"
