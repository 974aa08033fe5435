"""What the program consists of, and under which licences: the text of `--licenses`.

As a Python package it brings nothing along; its needs are packages of their own. In the executable another module
stands in for this one, with the text that the build wrote of all that it linked (build/components.py).
"""

import re
from importlib.metadata import PackageNotFoundError, distribution
from typing import NamedTuple

from probe import __version__

DISTRIBUTION = "healthchecker-probe"  # another project has the name healthchecker on PyPI

RULER = "=" * 80

INSTALLED = "It brings nothing along: what it needs are packages of their own, installed beside it."


class Component(NamedTuple):
    """A piece of software that somebody holds the rights in."""

    name: str
    version: str
    license: str  # an SPDX expression, or in older packages' own words
    text: str  # of the licence and of the notices that go with it
    purl: str  # package URL, https://github.com/package-url/purl-spec


def text() -> str:
    """The licences of this program and of the packages that it uses here."""
    own = component(DISTRIBUTION)
    if own is None:  # a copy of the folder probe, which the program can do with
        return f"healthchecker {__version__}: MIT\n"
    return render(own, INSTALLED, needed(DISTRIBUTION))


def needed(name: str) -> list[Component]:
    """The components that an installed package needs, and those that they need, as far as they are installed."""
    found: dict[str, Component] = {}
    waiting = [name]
    while waiting:
        needs = [need for need in distribution(waiting.pop()).requires or [] if "extra ==" not in need]
        for other in {re.split(r"[^\w.-]", need)[0] for need in needs} - found.keys():
            if part := component(other):  # otherwise one for another system, or a copy without its metadata
                found[other] = part
                waiting.append(other)
    return [found[name] for name in sorted(found)]


def component(name: str) -> Component | None:
    """The component that an installed package is, if there is one of that name, with its metadata."""
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
    """All components by name, version and licence, and then their texts; `relation` says how the others belong."""
    listed = [f"{other.name} {other.version}: {other.license}" for other in others]
    parts = [f"{own.name} {own.version}: {own.license}", "", relation, "", *listed]
    for each in (own, *others):
        if each.text:
            parts += ["", RULER, f"{each.name} {each.version}", RULER, "", each.text.strip()]
    return "\n".join(parts) + "\n"
