"""Pin all dependencies at their newest releases.

    python -m tools.lock UV

Each environment has one lock. The first has all packages and constrains the others, so that a package has the same
version in each.
"""

import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

from tools import ROOT

PROJECT = "pyproject.toml"
OPTIONS = ["--quiet", "--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-index-url",
           "--no-header", "--no-annotate"]  # fmt: skip
CONSTRAINED = "--constraint=requirements.txt"


class Lock(NamedTuple):
    """A lock, and the options of `uv pip compile` that say what is in it; or requirements to read from its input."""

    file: str
    options: list[str]
    requirements: str | None = None

    def command(self, uv: str) -> list[str]:
        """Return the command that writes the lock."""
        source = PROJECT if self.requirements is None else "-"
        return [uv, "pip", "compile", *OPTIONS, *self.options, f"--output-file={self.file}", source]


def locks() -> Iterator[Lock]:
    """List the locks, the one that constrains the others first."""
    extras = tomllib.loads((ROOT / PROJECT).read_text())["project"]["optional-dependencies"]
    yield Lock("requirements.txt", ["--upgrade", "--all-extras", "--group=dev"])
    yield Lock("build/requirements.txt", [CONSTRAINED, "--group=build"])
    yield Lock("demo/requirements.txt", [CONSTRAINED, "--all-extras", "--group=demo"])
    yield Lock("accountservice/requirements.txt", [CONSTRAINED], "\n".join(extras["service"]))
    yield Lock("tools/requirements.txt", ["--upgrade"], "uv")


def main() -> None:
    """Write all locks."""
    print("lock: asking the package index for all releases, about a minute", flush=True)
    for lock in locks():
        command = lock.command(sys.argv[1])
        print(shlex.join(command), flush=True)
        if status := subprocess.run(command, cwd=ROOT, input=lock.requirements, text=True, check=False).returncode:
            sys.exit(status)


if __name__ == "__main__":
    main()
