"""The executable in surroundings that the tests make, and the runs that have to come out right in all of them."""

import subprocess
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests import servers
from tests.certificates import Authority
from tests.conftest import PATIENCE
from tests.servers import serving

Start = Callable[[list[str]], subprocess.CompletedProcess[bytes]]


class Case(NamedTuple):
    """One run: its arguments, and how it has to end."""

    arguments: list[str]
    status: int
    stdout: str = ""  # how it begins
    stderr: str = ""  # what it contains


@pytest.fixture(scope="session")
def cases(authority: Authority) -> Iterator[dict[str, Case]]:
    """Runs that together go through all parts of the program: both stages, threads, click, requests, TLS."""
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
