"""What the executable consists of: the licences for `--licenses`, and the bill of materials.

Neither is a list that somebody keeps. The linker says of which files it took something, dpkg of which source packages
those are, and PyInstaller's analysis which Python packages have modules in it. Known here is only under which licence
each of Debian's packages comes; one that is not known stops the build.
"""

import hashlib
import platform
import re
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import debian
from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component as Entry
from cyclonedx.model.component import ComponentType
from cyclonedx.output.json import JsonV1Dot6
from debian import BuildError, run
from packageurl import PackageURL

from probe import licenses
from probe.licenses import Component

COPYRIGHTS = Path("/usr/share/doc")  # Debian Policy, 12.5
TEXTS = Path("/usr/share/common-licenses")

LINKED = """\
It is one static executable, which was linked of what follows. The launcher that it starts with is a part of
healthchecker and under the same licence; nothing of PyInstaller's own bootloader is in it, nor any other code of
PyInstaller's, which packed the modules. Of the GNU C library, whose licence asks for it, the source that was taken is
published with each release, as glibc-source.tar, and whoever wants another one in it links anew: `make binary`, in the
source of healthchecker, takes the one that is installed."""


class Terms(NamedTuple):
    """What one of Debian's source packages is called by others, and how it is licensed."""

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
    """The components that these files of Debian's packages belong to.

    What CPython has taken in of others, and says in the file `incorporated` of its source, Debian does not repeat.
    Raises BuildError.
    """
    found = {}
    for package in _owners(sorted(files)):
        source, version = debian.source(package)
        found[source] = _debian(source, version, COPYRIGHTS / package.partition(":")[0] / "copyright")
        if found[source].name == "CPython":
            found[source] = with_text(found[source], incorporated)
    return sorted(found.values(), key=lambda component: component.name.lower())


def package(name: str) -> Component:
    """The component that an installed Python package is. Raises BuildError."""
    component = licenses.component(name)
    if component is None:
        raise BuildError(f"the Python package {name} has no metadata to tell its licence by")
    if component.license == "MPL-2.0":  # certifi's own text is the notice that refers to it
        component = with_text(component, TEXTS / component.license)
    return component


def with_text(component: Component, file: Path) -> Component:
    """The component with one more text."""
    return component._replace(text=f"{component.text}\n{file.read_text(encoding='utf-8')}")


def _owners(files: list[Path]) -> list[str]:
    """The packages that have installed the files."""
    listed = run(["dpkg-query", "--search", *map(str, files)])
    return sorted({line.rpartition(": ")[0] for line in listed.splitlines()})


def _debian(source: str, version: str, notices: Path) -> Component:
    """The component of a source package, with the copyright file of a binary package of it."""
    terms = next((terms for pattern, terms in TERMS.items() if re.fullmatch(pattern, source)), None)
    if terms is None:
        raise BuildError(f"the licence of Debian's source package {source} is not in {Path(__file__).name}")
    texts = [notices, *(TEXTS / name for name in terms.texts)]
    release = platform.freedesktop_os_release()["VERSION_ID"]
    purl = PackageURL("deb", "debian", source, version, {"arch": "source", "distro": f"debian-{release}"})
    text = "\n".join(path.read_text(encoding="utf-8") for path in texts)
    return Component(terms.name, version, terms.license, text, purl.to_string())


def bill_of_materials(executable: Path, own: Component, others: list[Component]) -> str:
    """The CycloneDX document on the executable, JSON; the same for the same bytes."""
    digest = hashlib.sha256(executable.read_bytes()).hexdigest()
    whole = _entry(own._replace(name=executable.name), ComponentType.APPLICATION)
    whole.hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest)]
    bom = Bom(metadata=BomMetaData(component=whole), serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest))
    bom.metadata.timestamp = None  # type: ignore[assignment]  # the format has it optional, and bytes need no date
    parts = [_entry(other, ComponentType.LIBRARY) for other in others]
    bom.components = parts
    bom.register_dependency(whole, parts)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _entry(component: Component, kind: ComponentType) -> Entry:
    return Entry(
        type=kind,
        name=component.name,
        version=component.version,
        licenses=[LicenseFactory().make_from_string(component.license)],
        purl=PackageURL.from_string(component.purl),
        bom_ref=component.purl,
    )
