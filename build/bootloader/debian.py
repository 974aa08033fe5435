"""Debian's packages: which source package an installed one is of, and that source itself, by apt."""

import os
import re
import shutil
import subprocess
from pathlib import Path


class BuildError(SystemExit):
    """The executable cannot be made; the text says what would help. Where nobody catches it, the build ends with it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.code = f"build: {reason}"


def source(package: str) -> tuple[str, str]:
    """The name and the version of the source package that an installed package is of. Raises BuildError."""
    name, version = run(
        ["dpkg-query", "--show", "--showformat", "${source:Package} ${source:Version}", package]
    ).split()
    return name, version


def fetch(package: str, version: str, folder: Path) -> Path:
    """Download a source package by apt, with lists of its own: the system's need not name sources. Its .dsc file.

    Where Debian does not offer the version, take another revision of the same release, and say so in a line.

    Raises BuildError.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "lists" / "partial").mkdir(parents=True)
    listing = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"]
    repositories = run([*listing, "Created-By: Packages", "Origin: Debian"])
    if not repositories:
        raise BuildError("apt knows no Debian repository yet; type: sudo apt-get update")
    lines = {f"deb-src {repository}\n" for repository in repositories.splitlines()}
    (folder / "sources.list").write_text("".join(sorted(lines)))
    settings = {
        "APT::Sandbox::User": "",
        "Dir::Cache": folder,
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": folder / "lists",
    }
    options = [f"--option={name}={value}" for name, value in settings.items()]
    run(["apt-get", *options, "update"])
    for candidate in revisions(run(["apt-cache", *options, "showsrc", "--only-source", package]), version):
        try:
            run(["apt-get", *options, "source", "--download-only", f"{package}={candidate}"], folder)
        except BuildError as error:
            refused = error
            continue
        if candidate != version:
            print(
                f"build: taking the source of {package} {candidate}, for Debian does not offer that of {version}; "
                f"this is fine, any revision of one release will do"
            )
        return folder / f"{package}_{candidate.rpartition(':')[2]}.dsc"
    raise BuildError(f"cannot download the source of {package} {version}: {refused}")


def revisions(records: str, version: str) -> list[str]:
    """The version itself, and Debian's other revisions of the same release: a repository may lag with the source."""
    release = version.rpartition("-")[0]
    listed = set(re.findall(r"^Version: (\S+)$", records, re.MULTILINE))
    others = {other for other in listed - {version} if other.rpartition("-")[0] == release}
    return [version, *sorted(others, key=lambda name: [int(n) for n in re.findall(r"\d+", name)], reverse=True)]


def run(command: list[str], folder: Path | None = None) -> str:
    """What the command prints. Raises BuildError, with its complaint, where it fails."""
    environ = os.environ | {"LC_ALL": "C"}
    done = subprocess.run(
        command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"{command[0]} failed:\n{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
