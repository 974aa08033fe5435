"""Wait for what another process does: poll, and fail at a deadline."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

PATIENCE = 30.0  # seconds until a process that does not end is a failure, on a busy machine


def wait_until(what: str, holds: Callable[[], bool]) -> None:
    """Return when it holds. Fail, and say what was waited for, when PATIENCE is over."""
    ends = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > ends:
            pytest.fail(f"{what}: not within {PATIENCE:.0f} s")
        time.sleep(0.01)


def wait_for_connection(pid: int) -> None:
    """Return when the process has a TCP socket. It has another one before, when Python looks up the user's folder."""
    wait_until("the process has a connection", lambda: has_connection(Path(f"/proc/{pid}")))


def has_connection(process: Path) -> bool:
    """Look among the process's descriptors for one of its network's TCP sockets, by their inodes (proc_pid_net(5))."""
    with suppress(OSError):  # a descriptor that was closed meanwhile
        open_files = {str(entry.readlink()) for entry in (process / "fd").iterdir()}
        lines = [line for table in (process / "net").glob("tcp*") for line in table.read_text().splitlines()]
        return not open_files.isdisjoint(f"socket:[{line.split()[9]}]" for line in lines)
    return False


def wait_until_caught(pid: int, number: int) -> None:
    """Return when the process has a handler for the signal."""
    wait_until(f"signal {number} has a handler", lambda: is_caught(pid, number))


def is_caught(pid: int, number: int) -> bool:
    """Look whether the process has a handler for the signal (proc_pid_status(5))."""
    caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return bool(caught and int(caught[1], 16) >> (number - 1) & 1)
