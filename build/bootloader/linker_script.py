"""Write the linker script that puts together the code, constants and variables that ordinary runs touch."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from memory_profile import UNIT, Touched


class Section(NamedTuple):
    """A part of an object file that was linked."""

    address: int
    size: int
    name: str
    file: str
    output: str  # the section of the executable that it is in

    @property
    def pattern(self) -> str:
        """Return the linker script's words for it."""
        library = re.fullmatch(r".*?([^/]+\.a)\((.*)\)", self.file)
        return f"*{library[1]}:{library[2]}({self.name})" if library else f"*/{Path(self.file).name}({self.name})"


@dataclass(frozen=True)
class Script:
    """The scripts for the linker, beside layout.ld."""

    variables: str  # of the snapshot, included by layout.ld
    order: str  # of everything else


INPUT = re.compile(r"^ (\.\S+|COMMON)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S.*)$")
OUTPUT = re.compile(r"^(\.\S+)")
OF_ONE_PROCESSOR = re.compile(r"libc\.a\(.*(sse|avx|evex|erms|rtm)")
OF_THE_START = re.compile(r"(^|/)(seal|start)\.o$")


def sections(link_map: str) -> list[Section]:
    """Return the sections that a linker's map lists, in the order of their addresses."""
    joined = re.sub(r"^ (\.\S+)\n\s+", r" \1 ", link_map, flags=re.MULTILINE)  # a long name has a line of its own
    found = []
    output = ""
    for line in joined.splitlines():
        if started := OUTPUT.match(line):
            output = started[1]
        elif (part := INPUT.match(line)) and int(part[2], 16) and int(part[3], 16):
            found.append(Section(int(part[2], 16), int(part[3], 16), part[1], part[4], output))
    return sorted(found)


def script(linked: list[Section], touched: Touched) -> Script:
    """Return the script that puts the touched sections together, in the order that they have."""
    written = [section for section in _with(linked, touched.written) if section.output == ".variables"]
    others = [section for section in _with(linked, touched.all) if _movable(section)]

    def patterns(output: str) -> str:
        return "".join(f"    {section.pattern}\n" for section in others if section.output == output)

    return Script(
        variables="".join(f"{section.pattern}\n" for section in written if section.name != ".snapshot_data"),
        order=f"""
SECTIONS {{ .text_first : ALIGN(CONSTANT(COMMONPAGESIZE)) {{
{patterns(".text")}  }} }} INSERT AFTER .text;
SECTIONS {{ .rodata_first : ALIGN(CONSTANT(COMMONPAGESIZE)) {{
{patterns(".rodata")}  }} }} INSERT BEFORE .rodata;
SECTIONS {{ .data_first : {{
{patterns(".data")}  }} }} INSERT AFTER .data;
SECTIONS {{ .bss_first (NOLOAD) : {{
{patterns(".bss")}  }} }} INSERT BEFORE .bss;
""",
    )


def _with(linked: list[Section], units: set[int]) -> list[Section]:
    """Return the sections that have one of the units in them."""
    starts = [section.address for section in linked]
    found = set()
    for unit in units:
        index = bisect_right(starts, unit * UNIT + UNIT - 1) - 1
        if index >= 0 and linked[index].address + linked[index].size > unit * UNIT:
            found.add(linked[index])
    return sorted(found)


def _movable(section: Section) -> bool:
    """Return whether a section may lie elsewhere.

    The linker merges strings and constants itself. The code that starts the program has its place (seal.c). And if code
    that the C library has for one kind of processor moved, two machines would build two executables.
    """
    merged = section.name.startswith((".rodata.str", ".rodata.cst")) or section.name == "COMMON"
    return not (merged or OF_THE_START.search(section.file) or OF_ONE_PROCESSOR.search(section.file))


UNORDERED = script([], Touched(set(), set(), set()))
