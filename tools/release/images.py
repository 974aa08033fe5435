"""Publish the images: push those of each architecture, then join them under the tags of the version.

The registry is named as for `docker push`: HOST[:PORT]/OWNER. Log in before.
"""

import json

from tools.docker_engine import docker
from tools.image import IMAGES
from tools.release.executable import MACHINES


def tags(version: str) -> list[str]:
    """List the tags of a version X.Y.Z: X.Y.Z, X.Y and latest."""
    return [version, version.rpartition(".")[0], "latest"]


def push(registry: str, version: str, architecture: str) -> None:
    """Push the images of `make image`, tagged with version and architecture. Raises EngineError."""
    for name in IMAGES:
        tag = f"{registry}/{name}:{version}-{architecture}"
        docker("tag", name, tag)
        docker("push", "--quiet", tag)
        print(tag)


def join(registry: str, version: str) -> dict[str, str]:
    """Tag an index of both architectures for each image. Return the digests by image. Raises EngineError."""
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
