"""The Docker engine, by its command-line client. Each error is one line."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 120.0  # seconds for the engine to do something, on a busy machine
POLL = 0.2  # seconds between two commands


class EngineError(Exception):
    """The engine is missing, refuses a command or is too slow. The text says what would help."""


def docker(*arguments: str, **environ: str) -> str:
    """Return what `docker ARGUMENTS...` prints. Raises EngineError with the last line of its error."""
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, env=environ or None, check=False)
    except FileNotFoundError:
        raise EngineError("there is no docker command here; install Docker") from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["failed without a word"]
        raise EngineError(f"docker {arguments[0]}: {lines[-1]}")
    return done.stdout.strip()


def require() -> None:
    """Raise EngineError unless there is an engine that this user may use."""
    try:
        docker("version", "--format", "{{.Server.Version}}")
    except EngineError as error:
        reason = str(error).lower()
        if "permission denied" in reason:
            raise EngineError("this user may not use the Docker engine; be root or in the group docker") from None
        if "cannot connect to the docker daemon" in reason or "error during connect" in reason:
            raise EngineError("there is no Docker engine running here; start it, or name it in DOCKER_HOST") from None
        raise


def inspect(kind: str, name: str) -> dict[str, Any]:
    """Return the engine's record of a container, service or image. Raises EngineError."""
    found: dict[str, Any] = json.loads(docker(kind, "inspect", name))[0]
    return found


def health(container: str) -> tuple[str, list[str]]:
    """Return a container's health (starting, healthy, unhealthy) and the output of its last checks."""
    state = inspect("container", container)["State"]["Health"]
    return state["Status"], [check["Output"] for check in state["Log"]]


def remove(*command: str, gone: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Repeat a docker command until what it removes is gone.

    The engine refuses to remove what a task, an endpoint or a process that is about to end still uses. Raises
    EngineError with the last refusal, if there was one.
    """
    deadline = time.monotonic() + patience
    refusal = ""
    while not gone():
        try:
            docker(*command)
        except EngineError as error:
            refusal = f"; {error}"
        if time.monotonic() > deadline:
            raise EngineError(f"docker {' '.join(command)}: not gone within {patience:.0f} s{refusal}")
        time.sleep(POLL)


def remove_containers(*containers: str) -> None:
    """Remove containers with their volumes, by their IDs; running ones are killed. Raises EngineError."""
    filters = [f"--filter=id={container}" for container in containers]
    remove("rm", "--force", "--volumes", *containers, gone=lambda: not docker("ps", "--all", "--quiet", *filters))


def remove_image(name: str) -> None:
    """Remove an image by its name. Raises EngineError."""
    remove("rmi", "--force", name, gone=lambda: not docker("images", "--quiet", name))


def wait_until(what: str, holds: Callable[[], bool], patience: float = PATIENCE) -> float:
    """Wait until a condition holds. Return the seconds that this took. Raises EngineError if it never holds."""
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > patience:
            raise EngineError(f"not within {patience:.0f} s: {what}")
        time.sleep(POLL)
    return time.monotonic() - started


def main() -> None:
    """Exit with 1 and one line unless there is an engine: python -m tools.docker_engine."""
    try:
        require()
    except EngineError as error:
        sys.exit(f"docker: {error}")


if __name__ == "__main__":
    main()
