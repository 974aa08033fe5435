"""Measures the executable against its budgets: `make bench-binary`.

What is compared runs interleaved, A B C A B C, so that whatever else the machine does falls on all alike. The figures
are ratios of medians (of means for CPU time, which the kernel counts in ticks), but for memory and size. Ends with 1
where a budget is exceeded.
"""

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from tests import servers
from tests.certificates import Authority
from tests.conftest import wait_for_connection
from tests.servers import free_port, serving

ROOT = Path(__file__).parent.parent
BINARY = Path(sys.argv[1]).resolve()
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 200


class Command(NamedTuple):
    """What is run, and the exit status that it ends with: a run that failed for another reason measures nothing."""

    words: list[str]
    status: int = 0


class Cost(NamedTuple):
    """What one run takes, in seconds."""

    wall: float
    cpu: float


class Budget(NamedTuple):
    """A figure, and what it may be at most."""

    what: str
    figure: float
    limit: float


def measure(commands: dict[str, Command], rounds: int) -> dict[str, Cost]:
    """What each of the commands costs, run in turn so many times: the median time, and the mean CPU time."""
    runs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(run(command))
    return {
        name: Cost(statistics.median(cost.wall for cost in costs), statistics.fmean(cost.cpu for cost in costs))
        for name, costs in runs.items()
    }


def run(command: Command) -> Cost:
    """One run's wall-clock and CPU time, its output discarded."""
    discard = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
    started = perf_counter()
    pid = os.posix_spawn(command.words[0], command.words, {"PATH": os.environ["PATH"]}, file_actions=discard)
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) != command.status:
        raise SystemExit(f"{' '.join(command.words)}: ended with {status}")
    return Cost(perf_counter() - started, usage.ru_utime + usage.ru_stime)


@contextmanager
def account_service(folder: Path) -> Iterator[int]:
    """The port of a running account service."""
    port = free_port()
    settings = {"ACCOUNTSERVICE_PORT": str(port), "ACCOUNTSERVICE_DB": str(folder / "accounts.db")}
    service = subprocess.Popen([sys.executable, "-m", "accountservice"], env=settings, stderr=subprocess.DEVNULL)
    try:
        until_healthy = ["sh", "-c", 'until "$@"; do sleep 0.1; done 2>/dev/null', "sh", str(BINARY), f"-port={port}"]
        subprocess.run(until_healthy, check=True, timeout=30)
        yield port
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(30)


def one_file(folder: Path) -> Path:
    """The same probe as PyInstaller makes it when it is not told otherwise."""
    pyinstaller = str(Path(sys.executable).parent / "pyinstaller")
    folders = [f"--distpath={folder}", f"--workpath={folder / 'work'}", f"--specpath={folder}"]
    script = str(ROOT / "probe" / "__main__.py")
    subprocess.run([pyinstaller, "--onefile", "--name=onefile", "--log-level=ERROR", *folders, script], check=True)
    return folder / "onefile"


def peak_memory() -> int:
    """The most memory that an ordinary check has resident, in bytes, seen while it waits for its reply."""
    with serving(servers.wait_for_close) as port:
        waiting = subprocess.Popen([BINARY, f"-port={port}", "-t=30"], env={}, stderr=subprocess.DEVNULL)
        wait_for_connection(waiting.pid)
        status = Path(f"/proc/{waiting.pid}/status").read_text()
        waiting.kill()
        waiting.wait(30)
    peak = re.search(r"VmHWM:\s*(\d+) kB", status)
    assert peak is not None
    return int(peak[1]) * 1024


def budgets(folder: Path) -> Iterator[Budget]:
    """Every budget, with its figure of now."""
    curl = shutil.which("curl") or "curl"
    binary = str(BINARY)
    with account_service(folder) as port:
        closed = free_port()
        # With the exit statuses of the executable and of curl.
        paths = {
            "healthy": (port, "/health", 0, 0),
            "404": (port, "/nothing", 1, 22),
            "refused": (closed, "/health", 1, 7),
        }
        commands = {}
        for name, (number, path, status, curls) in paths.items():
            commands[name] = Command([binary, f"-port={number}", f"-path={path}"], status)
            commands[f"{name}, curl"] = Command([curl, "-sf", f"http://127.0.0.1:{number}{path}"], curls)
        costs = measure(commands, ROUNDS)
        for name in paths:
            ours, theirs = costs[name], costs[f"{name}, curl"]
            yield Budget(f"{name}: wall, of curl's {theirs.wall * 1000:.1f} ms", ours.wall / theirs.wall, 0.75)
            yield Budget(f"{name}: CPU, of curl's {theirs.cpu * 1000:.1f} ms", ours.cpu / theirs.cpu, 0.75)

        unpacking = measure(
            {
                "ours": Command([binary, f"-port={port}"]),
                "one-file": Command([str(one_file(folder)), f"-port={port}"]),
            },
            ROUNDS // 10,
        )
        ratio = unpacking["ours"].wall / unpacking["one-file"].wall
        yield Budget(f"healthy: wall, of one-file's {unpacking['one-file'].wall * 1000:.0f} ms", ratio, 0.01)

    authority = Authority(folder)
    with serving(servers.replying(servers.OK), tls=authority.context("127.0.0.1")) as port:
        python = [sys.executable, "-c"]
        commands = {
            "help": Command([binary, "--help"]),
            "import click": Command([*python, "import click"]),
            "https": Command([binary, f"https://127.0.0.1:{port}/", f"--cacert={authority.file}"]),
            "import requests": Command([*python, "import requests"]),
        }
        rich = measure(commands, ROUNDS // 5)
    for ours_name, theirs_name in (("help", "import click"), ("https", "import requests")):
        theirs = rich[theirs_name]
        what = f"{ours_name}: wall, of `{theirs_name}`'s {theirs.wall * 1000:.0f} ms"
        yield Budget(what, rich[ours_name].wall / theirs.wall, 1.3)

    yield Budget("peak memory, MB", peak_memory() / 1e6, 8)
    yield Budget("size, MB", BINARY.stat().st_size / 1e6, 15)


def main() -> None:
    """Print the figures with their limits."""
    exceeded = False
    with tempfile.TemporaryDirectory() as folder:
        for budget in budgets(Path(folder)):
            over = budget.figure > budget.limit
            exceeded = exceeded or over
            print(f"{budget.what:50} {budget.figure:8.4g}   at most {budget.limit:g}{'   EXCEEDED' if over else ''}")
    sys.exit(exceeded)


if __name__ == "__main__":
    main()
