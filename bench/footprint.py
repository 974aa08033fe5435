"""The files that a check reads, the bytes that it writes, its processes, and what a kill leaves behind."""

import mmap
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from bench.competitors import Competitor, Targets
from bench.measure import PATIENCE, Command, MeasureError
from testing.servers import serving, wait_for_close

SYSTEM = ("/etc/", "/proc/", "/sys/", "/dev/")  # not part of a program
SETTLED = 0.5  # seconds after a kill in which other processes can end


class Trace(NamedTuple):
    """The files that a program consists of, and what one check does."""

    bytes: int
    files: int
    written: int  # bytes, to files
    processes: int  # started by the first
    populated: int  # pages that one MADV_POPULATE_WRITE maps; getrusage(2) counts them as page faults


class Footprint(NamedTuple):
    """A check's trace, and what SIGKILL leaves behind."""

    bytes: int
    files: int
    written: int
    processes: int
    populated: int
    left_bytes: int
    left_files: int
    left_processes: int


def footprint(competitor: Competitor, targets: Targets) -> Footprint:
    """Trace a healthy check, and kill one that waits for its response. Raises MeasureError."""
    return Footprint(*traced(Command(competitor.check(targets.healthy))), *left_behind(competitor))


def traced(command: Command) -> Trace:
    """Trace one run. Raises MeasureError."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        calls = "execve,open,openat,write,writev,pwrite64,clone,clone3,fork,vfork,madvise"
        strace = ["strace", "-f", "--seccomp-bpf", "-y", "-s0", f"--trace={calls}", f"--output={log}"]
        temporary = Path(folder) / "tmp"
        temporary.mkdir()
        done = subprocess.run(
            [*strace, *command.words], env={"TMPDIR": str(temporary)}, capture_output=True, timeout=PATIENCE,
            check=False,
        )  # fmt: skip
        if done.returncode != command.status:
            raise MeasureError(f"strace {' '.join(command.words)}: ended with {done.returncode}")
        lines = log.read_text(errors="replace").splitlines()
    opened = {found[1] for line in lines if (found := re.search(r"open(?:at)?\(.*\) = \d+<(/[^>]+)>", line))}
    run = {found[1] for line in lines if (found := re.search(r'execve\("([^"]+)".*\) = 0', line))}
    used = {Path(name).resolve() for name in opened | run | loaders(run)}
    sizes = [path.stat().st_size for path in used if not str(path).startswith((*SYSTEM, folder)) and path.is_file()]
    written = [
        int(found[2])
        for line in lines
        if (found := re.search(r"writev?(?:64)?\(\d+<(/[^>]+)>.*\) = (\d+)", line)) and not found[1].startswith("/dev/")
    ]
    started = [
        line for line in lines if re.search(r"(clone3?|v?fork)\(.*\) = \d+", line) and "CLONE_THREAD" not in line
    ]
    populated = [
        -(-int(found[1]) // mmap.PAGESIZE)
        for line in lines
        if (found := re.search(r"madvise\(\w+, (\d+), MADV_POPULATE_WRITE\) = 0", line))
    ]
    return Trace(sum(sizes), len(sizes), sum(written), len(started), sum(populated))


def loaders(programs: set[str]) -> set[str]:
    """Return the dynamic loaders of these programs, which strace does not show."""
    found: set[str] = set()
    for program in programs:
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=PATIENCE, check=False).stdout
        found |= set(re.findall(r"^\s*(/\S*ld-linux\S*)", listed, re.MULTILINE))
    return found


def left_behind(competitor: Competitor) -> tuple[int, int, int]:
    """Kill a check that waits for its response. Return the bytes, files and processes that it leaves behind."""
    asked = threading.Event()

    def silent(connection: socket.socket) -> None:
        connection.recv(1)
        asked.set()
        wait_for_close(connection)

    with tempfile.TemporaryDirectory() as folder, serving(silent) as port:
        words = competitor.check(port)
        discard = subprocess.DEVNULL
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={"TMPDIR": folder},
            stdin=discard,
            stdout=discard,
            stderr=discard,
            start_new_session=True,
        )
        try:
            if not asked.wait(PATIENCE):
                raise MeasureError(f"{' '.join(words)}: sent no request")
            process.kill()
            process.wait(PATIENCE)
            time.sleep(SETTLED)
            files = [path for path in Path(folder).rglob("*") if path.is_file()]
            return sum(path.stat().st_size for path in files), len(files), len(members(process.pid))
        finally:
            for number in members(process.pid):
                os.kill(number, signal.SIGKILL)
            process.wait(PATIENCE)


def members(session: int) -> list[int]:
    """List the processes of a session (proc(5), the sixth field of stat)."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(folder.name))
    return found
