"""The cases that have to end well in all surroundings, and a second program."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testing import servers
from testing.certificates import Authority
from testing.executable import Case
from testing.freezing import SECOND, pyinstaller
from testing.project import ROOT
from testing.servers import serving

SOURCES = ROOT / ".build" / "bootloader"


@pytest.fixture(scope="session")
def cases(authority: Authority) -> Iterator[dict[str, Case]]:
    """Cases that together use all parts of the program: threads, click, requests, TLS."""
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


@pytest.fixture(scope="session")
def newest(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The second program, frozen as healthchecker is."""
    del binary  # its build leaves the source of CPython, which this one need not fetch again
    folder = tmp_path_factory.mktemp("newest")
    (folder / "work" / "bootloader").mkdir(parents=True)
    for source in SOURCES.glob("python3*"):
        (folder / "work" / "bootloader" / source.name).symlink_to(source)
    pyinstaller(folder, str(SECOND / "newest.spec"))
    return folder / "newest"
