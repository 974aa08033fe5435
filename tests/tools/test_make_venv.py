"""An environment has what its lock names, whatever else the index has, and one line says why where there is none."""

import base64
import hashlib
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from testing.privileges import needs_root
from testing.project import ROOT, own_files

LOCKS = sorted(ROOT.glob("requirements.txt")) + sorted(ROOT.glob("*/requirements.txt"))


class Index:
    """A folder of wheels that stands in for a package index, and a lock of some of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        self.wheels.mkdir(parents=True)
        self.lock = folder / "requirements.txt"
        self.lock.touch()
        self.venv = folder / "venv"

    def add(self, name: str, version: str, *fields: str, locked: bool = True) -> Path:
        """Make a wheel without modules, with these fields in its metadata (binary distribution format)."""
        wheel = self.wheels / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        files = {
            f"{info}/METADATA": "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *fields]),
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{path},{_record_hash(text)},{len(text)}\n" for path, text in files.items())
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in (files | {f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}).items():
                archive.writestr(path, text)
        if locked:
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            with self.lock.open("a") as lock:
                lock.write(f"{name}=={version} --hash=sha256:{digest}\n")
        return wheel

    def set_up(self, *before: str, python: str = sys.executable, **environ: str) -> "subprocess.CompletedProcess[str]":
        """Run the script that sets up each environment of this project, with no other index."""
        command = [*before, "tools/make-venv", python, str(self.venv), str(self.lock), "1 MB, a second"]
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_CONFIG_FILE": os.devnull}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        return subprocess.run(command, cwd=ROOT, env=kept | offline | environ, capture_output=True, text=True)

    def installed(self) -> set[str]:
        """The names and versions of what is in the environment, but for the tools that venv puts there."""
        listed = subprocess.run(
            [self.venv / "bin" / "python", "-m", "pip", "list", "--format=freeze"],
            capture_output=True,
            text=True,
            check=True,
        )
        return {line for line in listed.stdout.splitlines() if not line.startswith(("pip==", "setuptools=="))}


def _record_hash(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
    return f"sha256={digest.decode()}"


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path)


# The first of these requirements makes pip before 23.3 forget the pin of the child (pypa/pip#9644). Every pip with a
# resolver refuses the second.
REQUIREMENTS = {
    "mother": "child[extra]>=1.0",
    "father": "child[extra] @ file:///nonexistent/child-1.0-py3-none-any.whl",
}


def test_an_environment_has_what_its_lock_names_whatever_the_index_has(index: Index) -> None:
    for name, requirement in REQUIREMENTS.items():
        index.add(name, "1.0", f"Requires-Dist: {requirement}")
    assert index.set_up().returncode == 1  # what this leaves is not to stay
    index.lock.write_text("")
    index.add("mother", "2.0", f"Requires-Dist: {REQUIREMENTS['mother']}")
    index.add("father", "1.0", f"Requires-Dist: {REQUIREMENTS['father']}")
    index.add("child", "1.0", "Provides-Extra: extra")
    index.add("child", "2.0", "Provides-Extra: extra", locked=False)
    done = index.set_up()
    assert (done.returncode, done.stderr) == (0, "")
    expected = "1 MB, a second"
    assert done.stdout == f"set-up: installing the Python packages of {index.lock} into {index.venv}: {expected}\n"
    assert index.installed() == {"mother==2.0", "father==1.0", "child==1.0"}


def unlike_its_hash(index: Index) -> None:
    index.add("child", "1.0")
    index.add("child", "1.0", "Summary: Another file of that name", locked=False)


def not_in_the_index(index: Index) -> None:
    index.add("child", "1.0").unlink()


def lacking_a_package(index: Index) -> None:
    index.add("parent", "1.0", "Requires-Dist: child")


def empty(index: Index) -> None:
    index.lock.write_text("# nothing\n")


def absent(index: Index) -> None:
    index.lock.unlink()


FAULTS = {
    "unlike its hash": (
        unlike_its_hash,
        "the package index has another file than LOCK names; use an index .*make lock; all that pip said: ",
    ),
    "not in the index": (not_in_the_index, "pip cannot install LOCK: .*child==1.0.*; check that this machine reaches"),
    "lacking a package": (lacking_a_package, "LOCK is not complete: parent 1.0 requires child, .*; type: make lock"),
    "empty": (empty, "LOCK names no package; type: make lock"),
    "absent": (absent, "there is no LOCK; type: make lock"),
}


@pytest.mark.parametrize(("fault", "line"), FAULTS.values(), ids=list(FAULTS))
def test_a_lock_that_cannot_be_installed_is_one_line_that_says_what_to_do(
    index: Index, fault: Callable[[Index], None], line: str
) -> None:
    fault(index)
    done = index.set_up()
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert re.match(f"set-up: {line}".replace("LOCK", re.escape(str(index.lock))), done.stderr)
    log = re.search(r"all that pip said: (.*)$", done.stderr)
    assert log is None or Path(log[1]).read_text()


def test_a_python_that_is_not_there_is_one_line(index: Index) -> None:
    done = index.set_up(python="python3.99")
    line = "set-up: there is no python3.99; name a Python that is there: make PYTHON=/path/to/python3 ...\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)


def test_a_python_that_is_too_old_is_one_line(index: Index, tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = index.set_up(python=str(old))
    assert (done.returncode, done.stdout) == (1, "")
    reason = f"{old} is older than Python 3.11; name a newer one: make PYTHON=/path/to/python3 ..."
    assert done.stderr == f"set-up: {reason}\n"


@needs_root
def test_a_full_disk_is_one_line(index: Index) -> None:
    index.add("child", "1.0")
    index.venv.mkdir()
    script = 'mount -t tmpfs -o size=1m none "$0" && exec "$@"'
    done = index.set_up("unshare", "--mount", "sh", "-c", script, str(index.venv))
    assert done.returncode == 1
    assert done.stderr == f"set-up: cannot make a virtual environment in {index.venv}; is the disk full?\n"


def installations() -> list[str]:
    """Each command of the project's own files that installs by hashes, whole."""
    lines = [line for file in own_files() for line in file.read_text().replace("\\\n", " ").splitlines()]
    return [line for line in lines if re.search(r"\binstall\b.*--require-hashes", line)]


def test_nothing_is_installed_by_hashes_with_a_resolver() -> None:
    found = installations()
    assert len(found) >= 3  # the environments, and two in the container
    assert [line for line in found if "--no-deps" not in line] == []


@pytest.mark.parametrize("lock", LOCKS, ids=[str(lock.relative_to(ROOT)) for lock in LOCKS])
def test_each_pin_has_its_hashes(lock: Path) -> None:
    entries = lock.read_text().replace("\\\n", " ").splitlines()
    assert entries
    assert [entry for entry in entries if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry)] == []


TARGETS = [
    target
    for line in re.findall(r"^\.PHONY: ([a-z -]+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in line.split()
]


def steps(target: str) -> str:
    """List the commands that a target runs in a new clone."""
    command = ["make", "--dry-run", "--always-make", target]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_uses_no_environment_that_it_has_not_set_up(target: str) -> None:
    made: set[str] = set()
    for line in steps(target).splitlines():
        made.update(re.findall(r"tools/make-venv \S+ (\S+)", line))
        assert set(re.findall(r"(\.venv|\.build/venv/\w+)/bin/", line)) <= made, line


SET_UP = {
    "demo": [".build/venv/demo"],
    "binary": [".build/venv/build"],
    "lock": [".build/venv/lock"],
    "lint-python": [".venv"],
    "image": [],
    "swarm-demo": [],
    "packages": [],
}


@pytest.mark.parametrize(("target", "folders"), SET_UP.items(), ids=list(SET_UP))
def test_a_target_sets_up_what_it_uses_and_no_more(target: str, folders: list[str]) -> None:
    assert re.findall(r"tools/make-venv \S+ (\S+)", steps(target)) == folders


MADE = {
    venv: float(megabytes)
    for venv, megabytes in re.findall(
        r"^\$\((\w+)\)/\.ready: EXPECTED := (\d+) MB", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
}


@pytest.mark.parametrize(("variable", "megabytes"), MADE.items(), ids=list(MADE))
def test_an_environment_is_as_large_as_it_is_said_to_be(variable: str, megabytes: float) -> None:
    (folder,) = re.findall(rf"^{variable} := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    if not (ROOT / folder / ".ready").exists():
        pytest.skip(f"{folder} is not made yet")
    files = {(file.lstat().st_ino, file.lstat().st_blocks) for file in (ROOT / folder).rglob("*")}
    found = sum(blocks for _, blocks in files) * 512 / 2**20
    assert 0.5 * megabytes < found < 1.1 * megabytes  # a newer Python brings less along
