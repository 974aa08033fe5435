"""Mutate the probe, and list the mutants that no test notices: `make mutants`.

    python -m tools.mutants

mutmut makes the mutants and runs the tests; pyproject.toml says which modules and tests. A mutant that no test notices
fails the run, unless SAME says why no test can. mutmut mutates function bodies only: no constants, no properties, no
arguments of `len` and `isinstance`.
"""

import re
import shutil
import subprocess
import sys

from tools import ROOT

WORKERS = 8  # at once; the tests mostly wait

CODEC = "the name of a codec is case-insensitive"

# Mutants that behave like the original: the function and the changed line, with the reason.
SAME = {
    ("http.request.encode", 'return ("\\r\\n".join(lines) + "\\r\\n\\r\\n").encode("ASCII")'): CODEC,
    (
        "transport.resolve.resolve",
        'look_up = partial(socket.getaddrinfo, host.encode("ASCII"), port, 0, SOCK_STREAM)',
    ): CODEC,
    ("transport.connect._connected", "connection = socket.socket(address.family, )"): "SOCK_STREAM is the default",
    ("transport.stream.Stream.__init__", "self._received = None  # whether anything was"): "None is false, too",
    ("protocols.http._explained", 'answer = b"XXXX"'): "no record of TLS begins so, and nothing else is read of it",
    ("report.timed_out", "return report(check, Outcome(None, None, deadline.timeout_error(), deadline.timeout))"): (
        "the line of a failure has no conditions"
    ),
}


def main() -> int:
    """Make and test all mutants. Return the exit code."""
    shutil.rmtree(ROOT / "mutants", ignore_errors=True)
    run = mutmut("run", "--max-children", str(WORKERS))
    tried = re.findall(r"(\d+)/\1  ", run)
    if not tried:
        print(run[-3000:])
        return 1
    left = {name: (function(name), changed_line(name)) for name in unnoticed(mutmut("results"))}
    unknown = [name for name, change in left.items() if change not in SAME]
    outdated = SAME.keys() - left.values()
    for name in unknown:
        print(f"no test notices {name}:\n{mutmut('show', name)}")
    for change in sorted(outdated):
        print(f"SAME lists a mutant that does not exist, or that a test notices: {change}")
    print(f"mutants: {tried[-1]} made, {len(unknown)} of them not noticed")
    return int(bool(unknown or outdated))


def mutmut(*arguments: str) -> str:
    """Return what mutmut prints."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return output.stdout


def unnoticed(results: str) -> list[str]:
    """Return the names of the mutants that passed the tests, or that no test ran. A run without an end is noticed."""
    return [name for name, status in re.findall(r"(probe\.\S+): (.+)", results) if status != "timeout"]


def function(name: str) -> str:
    """Return the function that mutmut's name of a mutant contains.

    probe.report.x__line__mutmut_6 is report._line, and probe.x.xǁStreamǁsend__mutmut_6 is x.Stream.send.
    """
    return re.sub(r"^probe\.|(?<=\.)x[_ǁ]|__mutmut_\d+$", "", name).replace("ǁ", ".")


def changed_line(name: str) -> str:
    """Return the changed line."""
    return "\n".join(line.strip() for line in re.findall(r"^\+(?!\+\+)(.*)", mutmut("show", name), re.MULTILINE))


if __name__ == "__main__":
    sys.exit(main())
