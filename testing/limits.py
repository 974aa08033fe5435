"""Beginnings of commands that limit the program behind them: `[*limited_to(1), "healthchecker"]`."""

import random
import re
from contextlib import suppress
from pathlib import Path


def without_random_numbers(error: str) -> list[str]:
    """Let getrandom(2) fail by this error, such as EPERM."""
    return ["strace", "-f", "-o", "/dev/null", "-e", "trace=getrandom", f"--inject=getrandom:error={error}"]


def limited_to(processes: int) -> list[str]:
    """Allow this number of processes and threads. It takes root.

    The limit counts all processes of a user (setrlimit(2)) and is none for root, so the program runs as a user without
    processes. It may read files as root may.
    """
    files = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]  # the sources may be in a folder of root
    return ["prlimit", f"--nproc={processes}", "setpriv", f"--reuid={unused_user()}", "--clear-groups", *files]


def unused_user() -> int:
    """Return the ID of a user without processes, at random: tests may run at the same time."""
    used = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):  # it has ended
            used.update(re.findall(r"\d+", status.read_text().partition("\nUid:")[2].partition("\n")[0]))
    return random.choice([user for user in range(20_000, 60_000) if str(user) not in used])
