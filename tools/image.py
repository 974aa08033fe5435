"""Build the images accountservice and healthchecker of Dockerfile.multistage: `make image`.

Prints one line for each image or for an error. The engine's output goes to .build/image.log. The variable IMAGE_OPTIONS
has further options for `docker build`.
"""

import os
import shlex
import subprocess
import sys

from tools import ROOT
from tools.docker_engine import EngineError, inspect, require

LOG = ROOT / ".build" / "image.log"
IMAGES = ("healthchecker", "accountservice")


def build_all() -> None:
    """Build both images. Raises EngineError."""
    print(f"image: building {' and '.join(IMAGES)}, one to two minutes without Docker's cache; see {LOG}", flush=True)
    for name in IMAGES:
        build(name)


def build(target: str) -> None:
    """Build the image of a target under the target's name. Raises EngineError."""
    run(target, f"--tag={target}")
    size = inspect("image", target)["Size"]
    print(f"{target}: {size:,} bytes")


def run(target: str, *wanted: str) -> None:
    """Run `docker build` for a target, with further options. Raises EngineError."""
    options = ["--progress=plain", "--file=Dockerfile.multistage", f"--target={target}", *wanted]
    LOG.parent.mkdir(exist_ok=True)
    try:
        more = shlex.split(os.environ.get("IMAGE_OPTIONS", ""))
    except ValueError as error:
        raise EngineError(f"IMAGE_OPTIONS cannot be read: {error}") from None
    command = ["docker", "build", *options, *more, "."]
    with LOG.open("a") as log:
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | {"DOCKER_BUILDKIT": "1"}, stdout=log, stderr=log, check=False
        )
    if done.returncode:
        lines = [line for line in LOG.read_text().splitlines() if line.strip()] or ["docker build failed"]
        metadata = [line.rpartition(" for ")[2].rstrip(":") for line in lines if "load metadata for " in line]
        if metadata and any("[internal] load metadata for" in line for line in lines[-12:] if line.startswith(" > ")):
            raise EngineError(f"the base image {metadata[-1]} is not here and cannot be pulled; all of it: {LOG}")
        raise EngineError(f"{lines[-1]}; all of it: {LOG}")


def main() -> None:
    """Build both images, or exit with one line."""
    try:
        require()
        LOG.unlink(missing_ok=True)
        build_all()
    except EngineError as error:
        sys.exit(f"image: {error}")
    except OSError as error:
        sys.exit(f"image: {error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        sys.exit("image: interrupted")


if __name__ == "__main__":
    main()
