"""The images in a registry: each architecture's pushed by itself, then both under the version's tags.

The registry is named as in `docker push`: HOST[:PORT]/OWNER. Whoever publishes has logged in before.
"""

import json

from tools.docker_engine import docker
from tools.image import IMAGES
from tools.release.executable import MACHINES


def tags(version: str) -> list[str]:
    """The tags of a version X.Y.Z: its own, X.Y, and that of the newest."""
    return [version, version.rpartition(".")[0], "latest"]


def push(registry: str, version: str, architecture: str) -> None:
    """Push the images that `make image` has built here, tagged with version and architecture. Raises EngineError."""
    for name in IMAGES:
        tag = f"{registry}/{name}:{version}-{architecture}"
        docker("tag", name, tag)
        docker("push", "--quiet", tag)
        print(tag)


def join(registry: str, version: str) -> dict[str, str]:
    """Give the version's tags to an index of both architectures; each image's digest. Raises EngineError."""
    digests = {}
    for name in IMAGES:
        place = f"{registry}/{name}"
        wanted = [f"--tag={place}:{tag}" for tag in tags(version)]
        parts = [f"{place}:{version}-{architecture}" for architecture in MACHINES.values()]
        docker("buildx", "imagetools", "create", *wanted, *parts)
        index = docker("buildx", "imagetools", "inspect", "--format={{json .Manifest}}", f"{place}:{version}")
        digests[name] = str(json.loads(index)["digest"])
        print(f"{place}@{digests[name]}: {', '.join(tags(version))}")
    return digests
