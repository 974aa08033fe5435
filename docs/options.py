"""Write the table of options into README.md, from the table in probe.options; with --check, only compare."""

import sys
from pathlib import Path

from probe.options import OPTIONS, URL, Option

README = Path(__file__).parent.parent / "README.md"
BEGIN = "<!-- options: written by `make docs` -->\n"
END = "<!-- end of options -->\n"


def table() -> str:
    """The options as a Markdown table."""
    rows = [_row(option) for option in (*OPTIONS, URL)]
    return "\n".join(["| option | default | meaning | variable |", "|---|---|---|---|", *rows]) + "\n"


def _row(option: Option) -> str:
    spellings = [option.long] + ([f"-{option.short}"] if option.short else [])
    metavar = "" if option is URL else option.metavar
    spelled = f"{', '.join(f'`{spelling}`' for spelling in spellings)} {metavar}".rstrip()
    default = f"`{option.default}`" if option.default else ""
    return f"| {spelled} | {default} | {option.help} | `{option.variable}` |"


def rewritten(text: str) -> str:
    """The README's text with the table as it should be."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        sys.exit(f"{README.name}: the marks around the table of options are gone: {BEGIN.strip()} {END.strip()}")
    return before + begin + table() + end + after


def main() -> None:
    """Rewrite or compare."""
    text = README.read_text()
    wanted = rewritten(text)
    if "--check" in sys.argv[1:]:
        if text != wanted:
            sys.exit(f"{README.name}: the table of options is not that of probe/options.py; type: make docs")
    else:
        README.write_text(wanted)


if __name__ == "__main__":
    main()
