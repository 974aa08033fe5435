"""Containers and images on a Docker engine. They are removed at the end."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tools.docker_engine import docker, health, remove_containers, remove_image, wait_until

# Read at import: the environment of a test has none of these variables.
REQUIRE_PULL = os.environ.get("HEALTHCHECKER_REQUIRE_PULL") == "1"


def require_image(name: str) -> None:
    """Skip the test if the image is neither here nor can be pulled. With HEALTHCHECKER_REQUIRE_PULL=1, fail."""
    _require(f"the image {name}", ["image", "inspect", name], ["pull", "--quiet", name])


def require_compose() -> None:
    """Skip the test if there is no `docker compose`. With HEALTHCHECKER_REQUIRE_PULL=1, fail."""
    _require("the plugin compose", ["compose", "version"])


def _require(what: str, *attempts: list[str]) -> None:
    for attempt in attempts:
        if subprocess.run(["docker", *attempt], capture_output=True, timeout=300).returncode == 0:
            return
    if REQUIRE_PULL:
        pytest.fail(f"HEALTHCHECKER_REQUIRE_PULL=1, but {what} is not available")
    pytest.skip(f"{what} is not available here")


def wait_for(container: str, state: str) -> None:
    """Return when the engine calls the container healthy, or unhealthy."""
    wait_until(state, lambda: health(container)[0] == state)


@contextmanager
def running(*options: str, name: str = "accountservice") -> Iterator[str]:
    """Run a container of the image, as confined as the documentation promises, and yield its ID."""
    confined = ["--read-only", "--tmpfs=/data", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
    container = docker("run", "--detach", *confined, *options, name)
    try:
        yield container
    finally:
        remove_containers(container)


@contextmanager
def derived(*lines: str) -> Iterator[str]:
    """Build an image from accountservice with further Dockerfile instructions, and yield its name."""
    name = f"accountservice:{uuid.uuid4().hex}"
    dockerfile = "\n".join(["FROM accountservice", *lines])
    subprocess.run(["docker", "build", "--quiet", f"--tag={name}", "-"], input=dockerfile, text=True, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        yield name
    finally:
        remove_image(name)
