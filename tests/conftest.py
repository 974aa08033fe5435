"""What every test has: no variable of the surroundings, and a way to run the probe as a process."""

import _thread
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings

from release import executable
from tests.certificates import Authority

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

# For mounts, networks and other users' processes. In a chroot, / may be no mount point, and unshare refuses.
needs_root = pytest.mark.skipif(
    subprocess.run(["unshare", "--mount", "--net", "true"], stderr=subprocess.DEVNULL).returncode != 0,
    reason="it takes root, and a / that is a mount point, to unshare mounts and networks",
)

PATIENCE = 30.0  # seconds until a process that does not end is a failure, on a busy machine
AMPLE = "20s"  # a check's timeout where it is to end before it, on such a machine


class Run(NamedTuple):
    """How a process ended."""

    status: int
    stdout: str
    stderr: str
    seconds: float


Healthchecker = Callable[..., Run]


def own_files() -> list[Path]:
    """List the project's own text files: those that git knows, and new ones that it does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(
        command, cwd=executable.ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [file for name in listed if (file := executable.ROOT / name).is_file()]


@pytest.fixture(autouse=True, scope="session")
def _threads_are_measured() -> Iterator[None]:
    """Coverage hears of threads by way of threading; the probe starts them without it."""
    start = _thread.start_new_thread

    def start_measured(function: Callable[..., object], arguments: tuple[Any, ...]) -> int:
        def run() -> None:
            sys.settrace(threading.gettrace())
            function(*arguments)

        return start(run, ())

    _thread.start_new_thread = start_measured  # type: ignore[assignment]
    yield
    _thread.start_new_thread = start


@pytest.fixture(autouse=True)
def _signals_stay_as_they_are() -> Iterator[None]:
    """A run of the probe leaves them as its process's end has to find them."""
    numbers = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().endswith(("_PROXY", "_CA_BUNDLE")) or name.startswith(("HEALTHCHECKER_", "SSL_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that no system trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=["module", "binary"])
def command(request: pytest.FixtureRequest) -> list[str]:
    """How the probe is started, in each form that it has."""
    if request.param == "module":
        return [sys.executable, "-m", "probe"]
    return [str(request.getfixturevalue("binary"))]


@pytest.fixture(scope="session")
def binary() -> Path:
    """The static executable, which `make binary` leaves."""
    path = executable.ROOT / "dist" / executable.name()
    if not path.exists():
        pytest.skip(f"there is no {path.name}; type: make binary")
    return path


@pytest.fixture
def healthchecker(command: list[str], tmp_path: Path) -> Healthchecker:
    """Run the probe as users do: `healthchecker("-port=80", HEALTHCHECKER_TIMEOUT="1s")`."""
    return runner(command, tmp_path)


def runner(command: list[str], folder: Path) -> Healthchecker:
    """A function that runs the command in the folder with arguments and, as keywords, the environment.

    Unless a test names a timeout, a check has an ample one.
    """

    def run(*arguments: str | bytes, **environ: str) -> Run:
        started = time.monotonic()
        done = subprocess.run(
            [*command, *arguments],
            env={"HEALTHCHECKER_TIMEOUT": AMPLE, **environ},
            cwd=folder,
            capture_output=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )
        seconds = time.monotonic() - started
        return Run(done.returncode, done.stdout.decode(), done.stderr.decode(), seconds)

    return run


def limited_to(processes: int) -> list[str]:
    """Return the beginning of a command that may have so many processes and threads, and otherwise do what root may.

    The limit counts all processes of a user (setrlimit(2)), and root has none. So the user is one without processes.
    """
    files = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]  # those of the sources, wherever they are
    return ["prlimit", f"--nproc={processes}", "setpriv", f"--reuid={unused_user()}", "--clear-groups", *files]


def unused_user() -> int:
    """Return the ID of a user without processes, at random: tests that run at the same time take another."""
    used = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):  # it has ended
            used.update(re.findall(r"\d+", status.read_text().partition("\nUid:")[2].partition("\n")[0]))
    return random.choice([user for user in range(20_000, 60_000) if str(user) not in used])


def wait_for_connection(pid: int) -> None:
    """Return when the process has a TCP socket. It has another one before, when Python looks up the user's folder."""
    process = Path(f"/proc/{pid}")
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with suppress(OSError):  # a descriptor that was closed meanwhile
            found = {str(entry.readlink()) for entry in (process / "fd").iterdir()}
            lines = [line for table in (process / "net").glob("tcp*") for line in table.read_text().splitlines()]
            if found & {f"socket:[{line.split()[9]}]" for line in lines}:  # the inode (proc_pid_net(5))
                return
        signal.sigtimedwait([], 0.01)
    pytest.fail("the process made no connection")
