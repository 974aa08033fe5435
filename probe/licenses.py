"""What the program consists of, and under which licences: the text of `--licenses`.

As a Python package it brings nothing along; its needs are packages of their own. In the executable another module
stands in for this one, with the text that the build wrote of all that it linked (build/components.py).
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from probe import __version__

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
    try:
        own, needs = component("healthchecker"), needed("healthchecker")
    except PackageNotFoundError:  # a copy of the folder probe, which the program can do with
        return f"healthchecker {__version__}: MIT\n"
    return render(own, INSTALLED, [component(name) for name in sorted(needs)])


def needed(name: str) -> set[str]:
    """The names of the packages that an installed one needs, and of what those need."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for need in distribution(waiting.pop()).requires or []:
            other = re.split(r"[^\w.-]", need)[0]
            if "extra ==" not in need and other not in found:
                found.add(other)
                waiting.append(other)
    return found


def component(name: str) -> Component:
    """The component that an installed package is. Raises PackageNotFoundError."""
    package = distribution(name)
    fields = package.metadata  # Core metadata specifications, License-Expression and License
    declared = next((fields[name] for name in ("License-Expression", "License") if name in fields), "not declared")
    texts = [
        Path(str(package.locate_file(file))).read_text(encoding="utf-8")
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
