"""The parts of the program and their licences: the text of `--licenses`.

The Python package contains no part of others; it depends on packages of their own. The executable has another module
in place of this one (build/shims/), with the text of everything that the build linked.
"""

import re
from importlib.metadata import PackageNotFoundError, distribution
from typing import NamedTuple

from probe import __version__

DISTRIBUTION = "healthchecker-probe"  # another project has the name healthchecker on PyPI

RULER = "=" * 80

INSTALLED = "It brings nothing along: what it needs are packages of their own, installed beside it."


class Component(NamedTuple):
    """A piece of software and its licence."""

    name: str
    version: str
    license: str  # an SPDX expression, or the words of an older package
    text: str  # of the licence and its notices
    purl: str  # package URL, https://github.com/package-url/purl-spec


def text() -> str:
    """Return the licences of this program and of the installed packages that it uses."""
    own = component(DISTRIBUTION)
    if own is None:  # a copy of the folder probe, without metadata
        return f"healthchecker {__version__}: MIT\n"
    return render(own, INSTALLED, needed(DISTRIBUTION))


def needed(name: str) -> list[Component]:
    """Return the installed components that a package needs, directly or not."""
    found: dict[str, Component] = {}
    waiting = [name]
    while waiting:
        needs = [need for need in distribution(waiting.pop()).requires or [] if "extra ==" not in need]
        for other in {re.split(r"[^\w.-]", need)[0] for need in needs} - found.keys():
            if part := component(other):  # otherwise it is for another system, or has no metadata
                found[other] = part
                waiting.append(other)
    return [found[name] for name in sorted(found)]


def component(name: str) -> Component | None:
    """Return the component of an installed package; None if it is not installed, or has no metadata."""
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return None
    fields = package.metadata  # Core metadata specifications, License-Expression and License
    if "Name" not in fields or "Version" not in fields:
        return None
    declared = next((fields[name] for name in ("License-Expression", "License") if name in fields), "not declared")
    texts = [
        package.read_text("/".join(file.parts[1:])) or ""
        for file in sorted(package.files or [], key=str)
        if ".dist-info" in file.parts[0] and file.name.upper().startswith(("LICEN", "COPYING", "NOTICE"))
    ]
    purl = f"pkg:pypi/{re.sub(r'[-_.]+', '-', package.name).lower()}@{package.version}"
    return Component(package.name, package.version, declared, "\n".join(texts), purl)


def render(own: Component, relation: str, others: list[Component]) -> str:
    """Return a list of the components, then their texts. `relation` is the sentence after the first one."""
    listed = [f"{other.name} {other.version}: {other.license}" for other in others]
    parts = [f"{own.name} {own.version}: {own.license}", "", relation, "", *listed]
    for each in (own, *others):
        if each.text:
            parts += ["", RULER, f"{each.name} {each.version}", RULER, "", each.text.strip()]
    return "\n".join(parts) + "\n"
