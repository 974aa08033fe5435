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
    ("http1.request", 'return ("\\r\\n".join(lines) + "\\r\\n\\r\\n").encode("ASCII")'): "the codec's name has no case",
    ("http1.addresses", 'name = host.encode("ASCII")'): "the codec's name has no case",
    ("http1._connected", "connection = socket.socket(family, )"): "a stream is what it is without being told",
    ("hot._given", 'text = "XX1XX"'): "a switch has no text, it is there or not",
    ("hot._given", "text = None"): "as above",
    ("hot._given", 'given["url"] = RawValue(argument, None)'): "where the URL was is told by click, to whom it is left",
    ("hot._given", 'given["url"] = RawValue(argument, "XXURLXX")'): "as above",
    ("hot._given", 'given["url"] = RawValue(argument, "url")'): "as above",
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
    """Return the changed function by mutmut's name of the change: probe.http1.x__send__mutmut_4."""
    module, _, rest = name.removeprefix("probe.").rpartition(".x_")
    return f"{module}.{rest.rpartition('__mutmut_')[0]}"


def changed_line(name: str) -> str:
    """Return the changed line."""
    lines = [line[1:].strip() for line in mutmut("show", name).splitlines() if re.match(r"\+(?!\+\+)", line)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main() if Path("pyproject.toml").exists() else "run it where pyproject.toml is")
