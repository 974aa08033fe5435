"""What an executable consists of: the components that were linked or packed, each with its licence.

No list of them is kept. The linker prints of which files it took something, dpkg of which source packages those are,
and PyInstaller which Python packages have modules in the executable. Only the licence of each of Debian's packages is
written here, and an unknown package stops the build.
"""

import platform
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import debian
from commands import BuildError
from packageurl import PackageURL

COPYRIGHTS = Path("/usr/share/doc")  # Debian Policy, 12.5
TEXTS = Path("/usr/share/common-licenses")


class Component(NamedTuple):
    """A piece of software with a licence."""

    name: str
    version: str
    license: str  # an SPDX expression
    text: str  # of the licence and of the notices that go with it
    purl: str  # package URL, https://github.com/package-url/purl-spec

    def with_text(self, file: Path) -> "Component":
        """Return the component with one more text."""
        return self._replace(text=f"{self.text}\n{file.read_text(encoding='utf-8')}")


class Terms(NamedTuple):
    """The usual name of one of Debian's source packages, and its licence."""

    name: str
    license: str  # an SPDX expression
    texts: tuple[str, ...] = ()  # licences that its copyright file only refers to, as they are in TEXTS


# By source package. Each licence is that of the files which are linked in, of a package's libraries.
TERMS = {
    r"python3\.\d+": Terms("CPython", "PSF-2.0"),
    r"openssl": Terms("OpenSSL", "Apache-2.0", ("Apache-2.0",)),
    r"zlib": Terms("zlib", "Zlib"),
    r"glibc": Terms("glibc", "LGPL-2.1-or-later", ("LGPL-2.1",)),
    r"gcc-\d+": Terms("libgcc", "GPL-3.0-or-later WITH GCC-exception-3.1", ("GPL-3",)),
}


def linked(files: Iterable[Path], incorporated: Path) -> list[Component]:
    """Return the components that these files of Debian's packages belong to. Raises BuildError.

    CPython's source lists what it has taken from others in the file `incorporated`, which Debian does not repeat.
    """
    found = {}
    for package in debian.owners(sorted(files)):
        source, version = debian.source(package)
        found[source] = _of_debian(source, version, COPYRIGHTS / package.partition(":")[0] / "copyright")
        if found[source].name == "CPython":
            found[source] = found[source].with_text(incorporated)
    return sorted(found.values(), key=lambda component: component.name.lower())


def _of_debian(source: str, version: str, notices: Path) -> Component:
    """Return the component of a source package, with the copyright file of one of its binary packages."""
    terms = next((terms for pattern, terms in TERMS.items() if re.fullmatch(pattern, source)), None)
    if terms is None:
        raise BuildError(f"the licence of Debian's source package {source} is not in {Path(__file__).name}")
    texts = [notices, *(TEXTS / name for name in terms.texts)]
    release = platform.freedesktop_os_release()["VERSION_ID"]
    purl = PackageURL("deb", "debian", source, version, {"arch": "source", "distro": f"debian-{release}"})
    text = "\n".join(path.read_text(encoding="utf-8") for path in texts)
    return Component(terms.name, version, terms.license, text, purl.to_string())


def packed(modules: Iterable[tuple[str, str, str]]) -> set[str]:
    """Return the names of the installed Python packages that these modules of PyInstaller's table belong to."""
    return {name.partition(".")[0] for name, source, _ in modules if "site-packages" in source}


def installed(name: str, metadata: tuple[str, str, str, str, str] | None) -> Component:
    """Return the component of an installed Python package, from its metadata. Raises BuildError if there is none."""
    if metadata is None:
        raise BuildError(f"the Python package {name} has no metadata to tell its licence by")
    component = Component(*metadata)
    if component.license == "MPL-2.0":  # certifi's own text is the notice that refers to it
        component = component.with_text(TEXTS / component.license)
    return component
