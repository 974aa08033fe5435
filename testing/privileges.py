"""What takes root: namespaces, and processes of other users."""

import random
import re
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

# For mounts, networks and other users' processes. In a chroot, / may be no mount point, and unshare refuses.
needs_root = pytest.mark.skipif(
    subprocess.run(["unshare", "--mount", "--net", "true"], stderr=subprocess.DEVNULL).returncode != 0,
    reason="it takes root, and a / that is a mount point, to unshare mounts and networks",
)


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
