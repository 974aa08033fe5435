"""Change the probe in small ways, and look for changes that no test notices: `make mutants`.

    python -m tools.mutants

mutmut makes the changes and runs the tests (pyproject.toml). A change that no test notices fails this run, unless it is
listed below with the reason why no test can.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

WORKERS = 8  # at once; tests mostly wait

# Changes without an effect, by function and changed line.
SAME = {
    ("http.request.encode", 'return ("\\r\\n".join(lines) + "\\r\\n\\r\\n").encode("ASCII")'): "codecs have no case",
    (
        "transport.resolve.resolve",
        'look_up = partial(socket.getaddrinfo, host.encode("ASCII"), port, 0, SOCK_STREAM)',
    ): "codecs have no case",
    ("transport.connect._connected", "connection = socket.socket(address.family, )"): "a stream is the default",
    ("protocols.http._explained", 'answer = b"XXXX"'): "any bytes that are not TLS do",
    ("transport.stream.Stream.__init__", "self._received = None  # whether anything was"): "None is false",
}


def main() -> int:
    """Make and test all changes. Return the exit code."""
    shutil.rmtree("mutants", ignore_errors=True)
    run = mutmut("run", "--max-children", str(WORKERS))
    survivors = [line.split(":")[0].strip() for line in mutmut("results").splitlines() if "survived" in line]
    tried = re.findall(r"(\d+)/\1  ", run)
    if not tried:
        print(run[-3000:])
        return 1
    unnoticed = [name for name in survivors if (function(name), changed_line(name)) not in SAME]
    for name in unnoticed:
        print(f"no test notices {name}:\n{mutmut('show', name)}")
    print(f"mutants: {tried[-1]} changes, {len(unnoticed)} of them not noticed")
    return int(bool(unnoticed))


def mutmut(*arguments: str) -> str:
    """Return what mutmut prints."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout


def function(name: str) -> str:
    """Return the changed function by mutmut's name of the change.

    That is probe.check.x_run__mutmut_8 of a function and probe.transport.stream.xǁStreamǁsend__mutmut_6 of a method.
    """
    short = re.sub(r"^probe\.|__mutmut_\d+$", "", name)
    return re.sub(r"\.x[_ǁ](?=[^.]+$)", ".", short).replace("ǁ", ".")


def changed_line(name: str) -> str:
    """Return the changed line."""
    lines = [line[1:].strip() for line in mutmut("show", name).splitlines() if re.match(r"\+(?!\+\+)", line)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main() if Path("pyproject.toml").exists() else "run it where pyproject.toml is")
