"""Containers and images on a Docker engine, made for a test and removed behind it."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tools.docker_engine import docker, remove_containers, remove_image

# Asked here, since while a test runs there are none of these variables.
REQUIRE_PULL = os.environ.get("HEALTHCHECKER_REQUIRE_PULL") == "1"


def require_image(name: str) -> None:
    """Go on where the image is here or can be pulled; otherwise skip, or fail where HEALTHCHECKER_REQUIRE_PULL=1."""
    _require(f"the image {name}", ["image", "inspect", name], ["pull", "--quiet", name])


def require_compose() -> None:
    """Go on where there is `docker compose`; otherwise as with an image."""
    _require("the plugin compose", ["compose", "version"])


def _require(what: str, *attempts: list[str]) -> None:
    for attempt in attempts:
        if subprocess.run(["docker", *attempt], capture_output=True, timeout=300).returncode == 0:
            return
    if REQUIRE_PULL:
        pytest.fail(f"HEALTHCHECKER_REQUIRE_PULL=1, but {what} is not to be had")
    pytest.skip(f"{what} is not to be had here")


@contextmanager
def running(*options: str, name: str = "accountservice") -> Iterator[str]:
    """A container of the image, as tightly confined as the documentation promises; removed in the end."""
    confined = ["--read-only", "--tmpfs=/data", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
    container = docker("run", "--detach", *confined, *options, name)
    try:
        yield container
    finally:
        remove_containers(container)


@contextmanager
def derived(*lines: str) -> Iterator[str]:
    """An image made of accountservice with further Dockerfile instructions; removed in the end."""
    name = f"accountservice:{uuid.uuid4().hex}"
    dockerfile = "\n".join(["FROM accountservice", *lines])
    subprocess.run(["docker", "build", "--quiet", f"--tag={name}", "-"], input=dockerfile, text=True, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        yield name
    finally:
        remove_image(name)
