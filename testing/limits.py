"""Beginnings of commands that take something away from the program behind them."""

import random
import re
from contextlib import suppress
from pathlib import Path


def without_random_numbers(error: str) -> list[str]:
    """Let getrandom(2) fail by this error, such as EPERM."""
    return ["strace", "-f", "-o", "/dev/null", "-e", "trace=getrandom", f"--inject=getrandom:error={error}"]


def limited_to(processes: int) -> list[str]:
    """Allow so many processes and threads, and otherwise what root may do.

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
