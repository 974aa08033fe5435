"""Take steps of a release: `python -m tools.release STEP...`. Variables of the environment have the settings.

tag           check that TAG (default: that of the tree's version) has its version and its section in the changelog
executable    build the executable for this architecture twice, into dist/published
images        build the images for this architecture, if there is a Docker engine
folder        assemble dist/release from the files for ARCHITECTURES (default: this machine's)
push, join    push the images to REGISTRY; join appends their names and digests to the file GITHUB_OUTPUT
"""

import os
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

from probe import __version__
from tools import image
from tools.docker_engine import EngineError
from tools.release import changelog, executable, folder, images
from tools.release.changelog import ReleaseError, Section
from tools.release.executable import HERE, MACHINES


def section() -> Section:
    """Return the changelog's section of TAG, or of the tree's version without TAG. Raises ReleaseError."""
    text = changelog.CHANGELOG.read_text()
    if tag := os.environ.get("TAG"):
        return changelog.released(tag, __version__, text)
    return changelog.section(__version__, text)


def tag() -> None:
    """Print the version that can be released. Raises ReleaseError."""
    found = section()
    print(f"release: v{found.version} of {found.date}")


def assemble() -> None:
    """Assemble the folder, and list it with the reasons to refuse a tag. Raises ReleaseError."""
    architectures = os.environ.get("ARCHITECTURES", "").split() or [HERE]
    if unknown := set(architectures) - set(MACHINES.values()):
        raise ReleaseError(f"ARCHITECTURES: {' '.join(sorted(unknown))} is none of {' '.join(MACHINES.values())}")
    reservations = folder.assemble(section(), architectures)
    folder.show()
    if os.environ.get("TAG") and reservations:
        raise ReleaseError(reservations[0])
    try:
        changelog.released(f"v{__version__}", __version__, changelog.CHANGELOG.read_text())
    except ReleaseError as error:
        reservations.append(str(error))
    for reservation in reservations:
        print(f"release: a tag would be refused: {reservation}")


def build_images() -> None:
    """Build the images, or print why not."""
    if reason := executable.without_engine():
        print(f"release: {reason}; no images are built")
    else:
        image.build_all()


def registry() -> str:
    """Return the registry of the images. Raises ReleaseError if none is set."""
    name = os.environ.get("REGISTRY", "").lower()  # names of images are in lower case
    if not name:
        raise ReleaseError("REGISTRY is not set; name where the images go, as docker push has it: HOST[:PORT]/OWNER")
    return name


def push() -> None:
    """Push this architecture's images."""
    images.push(registry(), __version__, HERE)


def join() -> None:
    """Join the architectures' images."""
    digests = images.join(registry(), __version__)
    if output := os.environ.get("GITHUB_OUTPUT"):
        with Path(output).open("a") as lines:
            lines.writelines(
                f"{name}={registry()}/{name}\n{name}-digest={digest}\n" for name, digest in digests.items()
            )


STEPS: dict[str, Callable[[], None]] = {
    "tag": tag,
    "executable": executable.build_twice,
    "folder": assemble,
    "images": build_images,
    "push": push,
    "join": join,
}


def main() -> None:
    """Take the steps of the command line, or exit with one line."""
    if not sys.argv[1:] or set(sys.argv[1:]) - set(STEPS):
        sys.exit(f"usage: python -m tools.release {'|'.join(STEPS)} ...")
    try:
        for step in sys.argv[1:]:
            STEPS[step]()
    except (ReleaseError, EngineError) as error:
        sys.exit(f"release: {error}")
    except OSError as error:
        sys.exit(f"release: {error.filename}: {error.strerror}")
    except (ValueError, LookupError, tarfile.TarError) as error:
        sys.exit(f"release: what was built cannot be read: {error!r}; type: make release-executable")
    except KeyboardInterrupt:
        sys.exit("release: interrupted")


if __name__ == "__main__":
    main()
