"""Debian's packages: the source package of an installed one, and its download by apt."""

import re
import shutil
from pathlib import Path

from commands import BuildError, run


def architecture() -> str:
    """Return Debian's name of this machine's architecture, such as amd64. Docker uses the same names."""
    return run(["dpkg", "--print-architecture"]).strip()


def owners(files: list[Path]) -> list[str]:
    """Return the packages that installed the files. Raises BuildError."""
    listed = run(["dpkg-query", "--search", *map(str, files)])
    return sorted({line.rpartition(": ")[0] for line in listed.splitlines()})


def source(package: str) -> tuple[str, str]:
    """Return the name and the version of an installed package's source package. Raises BuildError."""
    wanted = "${source:Package} ${source:Version}"
    name, version = run(["dpkg-query", "--show", "--showformat", wanted, package]).split()
    return name, version


def fetch(package: str, version: str, folder: Path) -> Path:
    """Download a source package into the folder, and return its .dsc file.

    If Debian does not offer the version, take another revision of the same release, and print a line about it.

    Raises BuildError.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "lists" / "partial").mkdir(parents=True)
    options = _own_lists(folder)
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


def _own_lists(folder: Path) -> list[str]:
    """Return apt's options for package lists in the folder: the system's lists need not name sources."""
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
    return [f"--option={name}={value}" for name, value in settings.items()]


def revisions(records: str, version: str) -> list[str]:
    """Return the version, then Debian's other revisions of the same release: a repository's sources may lag behind."""
    release = version.rpartition("-")[0]
    listed = set(re.findall(r"^Version: (\S+)$", records, re.MULTILINE))
    others = {other for other in listed - {version} if other.rpartition("-")[0] == release}
    return [version, *sorted(others, key=lambda name: [int(n) for n in re.findall(r"\d+", name)], reverse=True)]
