"""The build: the same bytes each time, and one line where something is missing."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import debian
import memory_profile
import pytest
import toolchain
from commands import BuildError
from launcher import make_launcher

from testing.certificates import Authority
from testing.privileges import needs_root
from testing.project import ROOT
from testing.waiting import PATIENCE
from tools.release import executable

# On a machine of another name and kernel; the files of the folder $0 tell of another user, hosts and certificates.
ELSEWHERE = r"""
hostname canary-host
umask 077
cd "$0"
find . -type f | while read -r file; do [ -e "/$file" ] && mount --bind "$file" "/$file"; done
cd "$1"
exec setarch --uname-2.6 "$2" -c \
    'import sys, pathlib, tools.release.executable as e; e.build_elsewhere(pathlib.Path(sys.argv[1]))' "$3"
"""

OTHER_FILES = {
    "etc/passwd": "canary-user:x:0:0:Canary User:/home/canary-user:/bin/sh\n",
    "etc/hosts": "127.0.0.1 localhost canary-host canary-alias\n",
    "etc/resolv.conf": "nameserver 127.0.0.1\nsearch canary-domain.test\n",
    "etc/machine-id": "cacacacacacacacacacacacacacacaca\n",
}

OTHER_ENVIRONMENT = {
    **dict.fromkeys(("USER", "LOGNAME", "CANARY"), "canary-user"),
    "HOME": "/nonexistent/canary-home",
    "HOSTNAME": "canary-host",
    "TZ": "Pacific/Chatham",
    "LANG": "tr_TR.UTF-8",
    "HEALTHCHECKER_URL": "http://canary.test",
}


@needs_root
@pytest.mark.release
@pytest.mark.timeout(600)
def test_another_folder_user_machine_and_time_give_the_same_bytes(
    binary: Path, tmp_path: Path, authority: Authority
) -> None:
    store = {"etc/ssl/certs/ca-certificates.crt": authority.file.read_text()}
    for name, content in (OTHER_FILES | store).items():
        (tmp_path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "files" / name).write_text(content)
    folder = tmp_path / "Häuser, Gärten & ein 家"
    folder.mkdir()
    command = ["unshare", "--uts", "--mount", "sh", "-euc", ELSEWHERE]
    places = [str(tmp_path / "files"), str(ROOT), sys.executable, str(folder)]
    subprocess.run([*command, *places], check=True, env=os.environ | OTHER_ENVIRONMENT)
    for name in executable.beside(binary.name):
        assert (folder / "dist" / name).read_bytes() == (binary.parent / name).read_bytes()
    assert sorted(path.name for path in (folder / "build").iterdir() if path.name != "__pycache__") == sorted(
        path.name for path in (ROOT / "build").iterdir() if path.name != "__pycache__"
    )


def test_the_bootloader_names_no_program() -> None:
    sources = [file for file in (ROOT / "build" / "bootloader").iterdir() if file.suffix in (".c", ".h", ".ld", ".py")]
    assert len(sources) > 10
    named = re.compile(r"healthchecker|\bprobe\b", re.IGNORECASE)
    assert [file.name for file in sources if named.search(file.read_text())] == []


@pytest.mark.parametrize("needed", ["no-such-command", Path("/nonexistent/libssl.a")], ids=["command", "file"])
def test_a_missing_package_is_named_with_the_command_to_type(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, needed: str | Path
) -> None:
    monkeypatch.setattr(toolchain, "NEEDED", {"present": [Path("/")], "package-that-has-it": [needed]})
    with pytest.raises(BuildError) as raised:
        make_launcher(tmp_path, "")
    assert str(raised.value) == "missing Debian packages: package-that-has-it; type: make packages"


def test_without_valgrind_the_executable_is_slower_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(toolchain, "NEEDED", {"valgrind": [tmp_path / "valgrind"]})
    monkeypatch.setattr(toolchain, "PYTHON_PACKAGE", "what-is-asked-for-next")
    assert toolchain.missing() == ["valgrind"]
    with pytest.raises(BuildError, match="what-is-asked-for-next"):
        make_launcher(tmp_path, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(memory_profile.Unwatched, match=r"^valgrind is not installed \(make packages installs it\)$"):
        memory_profile.watch(tmp_path / "program", [[]])


def test_a_program_that_does_not_end_ends_the_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory_profile, "LONGEST", 1.0)
    shutil.copy("/usr/bin/sleep", tmp_path)
    with pytest.raises(BuildError) as raised:
        memory_profile.watch(tmp_path / "sleep", [["60"]])
    assert str(raised.value) == "the program did not end within 1 seconds: 60"


def test_a_python_of_another_origin_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(toolchain, "LIBPYTHON", Path("/opt/python/libpython3.11.a"))
    with pytest.raises(BuildError, match="is not the distribution's.*; build with /usr/bin/python3"):
        make_launcher(tmp_path, "")


# Begins a build in the folder that is the first argument.
BEGIN = """
import freezing, pathlib, sys
freezing.CONF["workpath"] = "/nonexistent/build/program"
freezing.begin(pathlib.Path(sys.argv[1]))
"""


def test_a_second_build_in_one_checkout_waits_for_the_first(tmp_path: Path) -> None:
    first = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(first, fcntl.LOCK_EX)
    environ = os.environ | {"PYTHONPATH": str(toolchain.HERE), "PYTHONHASHSEED": "0"}
    second = subprocess.Popen(
        [sys.executable, "-c", BEGIN, str(tmp_path)], env=environ, stdout=subprocess.PIPE, text=True
    )
    assert second.stdout
    assert second.stdout.readline() == f"build: waiting for another build in {tmp_path} to end\n"
    assert list(tmp_path.iterdir()) == []
    os.close(first)
    assert (second.communicate(timeout=PATIENCE)[0], second.returncode) == ("", 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bootloader", "pyinstaller"]


def test_another_revision_of_the_same_release_is_taken_if_the_own_is_missing() -> None:
    listed = ["3.11.2-6", "3.11.2-6+deb12u10", "3.11.1-1", "3.11.2-6+deb12u9", "3.11.2-6+deb12u11"]
    records = "".join(f"Package: python3.11\nVersion: {version}\n" for version in listed)
    wanted = "3.11.2-6+deb12u11"
    assert debian.revisions(records, wanted) == [wanted, "3.11.2-6+deb12u10", "3.11.2-6+deb12u9", "3.11.2-6"]
