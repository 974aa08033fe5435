"""What every test has: no variable of the surroundings, and a way to run the probe as a process."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

from tests.certificates import Authority

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

PATIENCE = 30.0  # seconds until a process that does not end is a failure, on a busy machine


class Run(NamedTuple):
    """How a process ended."""

    status: int
    stdout: str
    stderr: str
    seconds: float


Healthchecker = Callable[..., Run]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().endswith(("_PROXY", "_CA_BUNDLE")) or name.startswith(("HEALTHCHECKER_", "SSL_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that no system trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=["module", "script"])
def healthchecker(request: pytest.FixtureRequest, tmp_path: Path) -> Healthchecker:
    """Run the probe as users do: `healthchecker("-port=80", HEALTHCHECKER_TIMEOUT="1s")`."""
    commands = {
        "module": [sys.executable, "-m", "probe"],
        "script": [str(Path(sys.executable).parent / "healthchecker")],
    }
    return runner(commands[request.param], tmp_path)


def runner(command: list[str], folder: Path) -> Healthchecker:
    """A function that runs the command in the folder with arguments and, as keywords, the environment."""

    def run(*arguments: str | bytes, **environ: str) -> Run:
        started = time.monotonic()
        done = subprocess.run(
            [*command, *arguments],
            env=environ,
            cwd=folder,
            capture_output=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )
        seconds = time.monotonic() - started
        return Run(done.returncode, done.stdout.decode(), done.stderr.decode(), seconds)

    return run
