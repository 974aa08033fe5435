"""The executable of this machine's architecture, built twice: once to publish it, once to see the same bytes come out.

With a Docker engine it is built in the container of Dockerfile.multistage, as each release is. Without one it is built
of this machine's own packages, for a look at all the rest.
"""

import filecmp
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from demo import image
from demo.engine import EngineError, require
from release.changelog import ReleaseError

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
GLIBC = "glibc-source.tar"

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}  # Docker's names


def name(architecture: str = MACHINES.get(platform.machine(), platform.machine())) -> str:
    """The file's name; that of this machine's unless another architecture is named."""
    return f"healthchecker-linux-{architecture}"


def beside(executable: str) -> list[str]:
    """The names of the files that a build makes: the executable, its bill of materials, its licences."""
    return [executable, f"{executable}.cdx.json", f"{executable}.licenses.txt"]


def build_twice() -> None:
    """Leave in dist/ what a release has of this architecture. Raises ReleaseError where a second build differs."""
    try:
        require()
    except EngineError as error:
        print(f"release: {error}")
        print("release: so it is built of this machine's own packages; a release is, of the container's")
        build = _natively
    else:
        build = _in_container
    with TemporaryDirectory() as folder:
        second = Path(folder)
        build(DIST, first=True)
        build(second, first=False)
        _, differing, missing = filecmp.cmpfiles(DIST, second, [*beside(name()), GLIBC], shallow=False)
    if differing or missing:
        raise ReleaseError(f"a second build gave other bytes: {', '.join(differing + missing)}")
    print(f"release: {name()}: a second build gave the same bytes")


def _in_container(folder: Path, first: bool) -> None:
    try:
        image.run("release", f"--output={folder}", f"--build-arg=BUILD={1 if first else 2}")
    except EngineError as error:
        raise ReleaseError(str(error)) from None


def _natively(folder: Path, first: bool) -> None:
    if first:
        _run(["make", "binary"], ROOT)
    else:
        with TemporaryDirectory() as copy:
            for file in build_elsewhere(Path(copy)):
                shutil.move(file, folder)
    _run([sys.executable, "build/bootloader/link.py", "--publish", str(folder)], ROOT)


def build_elsewhere(sources: Path) -> list[Path]:
    """Build in a copy of the sources, with another seed for hashes: neither may leave a trace. The files made."""
    for part in ("build", "probe"):
        shutil.copytree(ROOT / part, sources / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "LICENSE", sources)
    work = sources / ".build" / "bootloader"
    work.mkdir(parents=True)
    for source in (ROOT / ".build" / "bootloader").glob("python*"):  # not to download it again
        (work / source.name).symlink_to(source)
    pyinstaller = str(Path(sys.executable).parent / "pyinstaller")
    _run([pyinstaller, "--log-level=WARN", "build/pyinstaller.spec"], sources, PYTHONHASHSEED="1", LC_ALL="C")
    return [sources / "dist" / file for file in beside(name())]


def _run(command: list[str], folder: Path, **environ: str) -> None:
    done = subprocess.run(command, cwd=folder, env=os.environ | environ, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or "failed without a word").splitlines()
        raise ReleaseError(f"{Path(command[0]).name}: {lines[-1]}")
