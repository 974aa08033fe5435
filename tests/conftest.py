"""Fixtures of all tests."""

import _thread
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from testing.certificates import Authority
from testing.program import Healthchecker, runner
from testing.project import ROOT
from tools import docker_engine, image
from tools.docker_engine import EngineError
from tools.release import executable

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True, scope="session")
def _threads_are_measured() -> Iterator[None]:
    """Let coverage measure threads: it knows those of threading, and the probe starts them without it."""
    start = _thread.start_new_thread

    def start_measured(function: Callable[..., object], arguments: tuple[Any, ...]) -> int:
        def run() -> None:
            sys.settrace(threading.gettrace())
            function(*arguments)

        return start(run, ())

    _thread.start_new_thread = start_measured  # type: ignore[assignment]
    yield
    _thread.start_new_thread = start


@pytest.fixture(autouse=True)
def _signals_stay_as_they_are() -> Iterator[None]:
    """Restore the signal handlers: a run of the probe leaves its own, as its process ends."""
    numbers = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables that could change a verdict."""
    for name in os.environ:
        if name.upper().endswith(("_PROXY", "_CA_BUNDLE")) or name.startswith(("HEALTHCHECKER_", "SSL_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that no system trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=["module", "binary"])
def command(request: pytest.FixtureRequest) -> list[str]:
    """The probe's command, as a module and as the executable."""
    if request.param == "module":
        return [sys.executable, "-m", "probe"]
    return [str(request.getfixturevalue("binary"))]


@pytest.fixture(scope="session")
def binary() -> Path:
    """The static executable of `make binary`."""
    path = ROOT / "dist" / executable.name()
    if not path.exists():
        pytest.skip(f"there is no {path.name}; type: make binary")
    return path


@pytest.fixture
def healthchecker(command: list[str], tmp_path: Path) -> Healthchecker:
    """Run the probe: `healthchecker("-port=80", HEALTHCHECKER_TIMEOUT="1s")`."""
    return runner(command, tmp_path)


@pytest.fixture(scope="session")
def images() -> None:
    """The images accountservice and healthchecker, built from this tree."""
    try:
        docker_engine.require()
    except EngineError as error:
        if os.environ.get("HEALTHCHECKER_REQUIRE_DOCKER") == "1":
            pytest.exit(f"HEALTHCHECKER_REQUIRE_DOCKER=1, but {error}", returncode=1)
        pytest.skip(str(error))
    image.build_all()
