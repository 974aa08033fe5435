"""Build the executable for this machine's architecture twice, and compare the bytes.

With a Docker engine the build runs in the container of Dockerfile.multistage, as for each release. Without one it uses
this machine's packages, to check everything else. The executable of `make binary` is not touched.
"""

import filecmp
import os
import platform
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

from tools import ROOT, image
from tools.docker_engine import EngineError, require
from tools.release.changelog import ReleaseError

PUBLISHED = ROOT / "dist" / "published"
GLIBC = "glibc-source.tar"

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}  # the kernel's names and Docker's
HERE = MACHINES.get(platform.machine(), platform.machine())


def name(architecture: str = HERE) -> str:
    """Return the name of the executable for an architecture, by default this machine's."""
    return f"healthchecker-linux-{architecture}"


def beside(executable: str) -> list[str]:
    """List the files of a build: the executable, its bill of materials, its licences."""
    return [executable, f"{executable}.cdx.json", f"{executable}.licenses.txt"]


def without_engine() -> str:
    """Return why there is no usable Docker engine; "" if there is one."""
    try:
        require()
    except EngineError as error:
        return str(error)
    return ""


def build_twice() -> None:
    """Fill the folder PUBLISHED for this architecture. Raises ReleaseError if a second build differs."""
    reason = without_engine()
    build = _natively if reason else _in_container
    if reason:
        print(f"release: {reason}; {name()} is built of this machine's packages, where a release takes the container's")
    for file in (*beside(name()), GLIBC):
        (PUBLISHED / file).unlink(missing_ok=True)
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        second = Path(folder)
        for target in (PUBLISHED, second):
            build(target)
        _, differing, missing = filecmp.cmpfiles(PUBLISHED, second, [*beside(name()), GLIBC], shallow=False)
    if differing or missing:
        raise ReleaseError(f"a second build gave other bytes: {', '.join(differing + missing)}")
    print(f"release: {name()}: a second build gave the same bytes")


def _in_container(folder: Path) -> None:
    anew = uuid.uuid4().hex  # no layer of the engine's cache has this argument
    try:
        image.run("release", f"--output={folder}", f"--build-arg=BUILD={anew}")
    except EngineError as error:
        raise ReleaseError(str(error)) from None


def _natively(folder: Path) -> None:
    run([sys.executable, "-m", "tools.packages", "build"], ROOT)
    with TemporaryDirectory() as copy:
        for file in build_elsewhere(Path(copy)):
            shutil.move(file, folder)
    run([sys.executable, "build/bootloader/sources.py", "glibc", str(folder)], ROOT)


def build_elsewhere(sources: Path) -> list[Path]:
    """Build in a copy of the sources with another hash seed; neither may change a byte. Return the files."""
    for part in ("build", "probe"):
        shutil.copytree(ROOT / part, sources / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "LICENSE", sources)
    work = sources / ".build" / "bootloader"
    work.mkdir(parents=True)
    for source in (ROOT / ".build" / "bootloader").glob("python*"):  # saves the download
        (work / source.name).symlink_to(source)
    pyinstaller = str(Path(sys.executable).parent / "pyinstaller")
    seed = str(uuid.uuid4().int % 2**32)
    run([pyinstaller, "--log-level=WARN", "build/pyinstaller.spec"], sources, PYTHONHASHSEED=seed, LC_ALL="C")
    return [sources / "dist" / file for file in beside(name())]


def run(command: list[str], folder: Path, **environ: str) -> str:
    """Return what a command prints in the folder. Raises ReleaseError with the last line of its error."""
    done = subprocess.run(command, cwd=folder, env=os.environ | environ, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or "failed without a word").splitlines()
        raise ReleaseError(f"{Path(command[0]).name}: {lines[-1]}")
    return done.stdout
