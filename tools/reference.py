"""Write the options into docs/healthchecker.md, and convert that page to the man page: `make docs`.

    python -m tools.reference [--check]

The options are those of the click command. The table of other programs' options in docs/cookbook.md is that of the
command too. The man page is in roff (man(7), groff_char(7)). With --check the pages are compared and not written.
"""

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from probe import __version__, cli, foreign_options
from probe.options import PARAMETERS
from tools.release import changelog

PAGE = Path(__file__).parents[1] / "docs" / "healthchecker.md"
MANUAL = PAGE.with_suffix(".1")
COOKBOOK = PAGE.with_name("cookbook.md")
OPTION_MARKS = ("<!-- options: written by `make docs` -->\n", "<!-- end of options -->\n")
FOREIGN_MARKS = ("<!-- foreign options: written by `make docs` -->\n", "<!-- end of foreign options -->\n")
WIDTH = 120  # of Markdown
MAN_WIDTH = 80  # of roff's source

# Blocks of Markdown, separated by empty lines. The conversion to the man page supports these forms only.
FENCE = re.compile(r"^(?:<!--[^\n]*-->\n)*```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)


def main() -> None:
    """Write the pages, or compare them."""
    page = between(PAGE, OPTION_MARKS, "".join(_item(f"{spelled}: {meaning}") for spelled, meaning in options()))
    cookbook = between(COOKBOOK, FOREIGN_MARKS, foreign_table())
    try:
        date = changelog.section(__version__, changelog.CHANGELOG.read_text()).date
    except changelog.ReleaseError as error:
        sys.exit(f"reference: {error}")
    for path, text in {PAGE: page, MANUAL: man(page, date), COOKBOOK: cookbook}.items():
        if "--check" not in sys.argv[1:]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"docs/{path.name} is behind the command's options or docs/{PAGE.name}; type: make docs")


def between(path: Path, marks: tuple[str, str], text: str) -> str:
    """Return the page with the text between the marks."""
    before, begin, rest = path.read_text().partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not (begin and end):
        sys.exit(f"{path.name}: the marks around the options are gone: {marks[0].strip()} {marks[1].strip()}")
    return before + begin + text + end + after


def foreign_table() -> str:
    """Return a table of other programs' options with what to write instead."""
    lines = [
        f"| {' | '.join(foreign_options.PROGRAMS.values())} | here |",
        f"|{'---|' * (len(foreign_options.PROGRAMS) + 1)}",
    ]
    for row in foreign_options.ROWS:
        cells = [", ".join(f"`{option}`" for option in listed.split(", ") if option) for listed in row[1:]]
        instead = re.sub(r"--[a-z][\w:.=-]*\w", r"`\g<0>`", row.instead)
        lines.append(" ".join([*(f"| {cell}".rstrip() for cell in cells), f"| {instead[0].upper()}{instead[1:]}. |"]))
    return "\n".join(lines) + "\n"


def _item(text: str) -> str:
    wrapped = textwrap.wrap(text, WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return "- " + "\n  ".join(wrapped) + "\n"


def options() -> Iterator[tuple[str, str]]:
    """List the parameters of the click command: spelling and meaning."""
    table = {option.name: option for option in PARAMETERS}
    for parameter in cli.build_command().params:
        option = table.get(str(parameter.name))
        spellings = sorted(parameter.opts, key=len, reverse=True) if isinstance(parameter, click.Option) else []
        metavar = option.metavar if option else ""
        spelled = ", ".join(f"`{spelling} {metavar}`".replace(" `", "`") for spelling in spellings) or f"`{metavar}`"
        if option:
            default = f" Default: `{option.default}`." if option.default else ""
            yield spelled, f"{option.help}{default} Variable: `{option.variable}`."
        else:
            yield spelled, str(getattr(parameter, "help", ""))


def man(page: str, date: str) -> str:
    """Convert the page to roff. The date is that of the version, YYYY-MM-DD."""
    lines = [
        f'.\\" written by `make docs` from docs/{PAGE.name}',
        f'.TH HEALTHCHECKER 1 {date} "healthchecker {__version__}" "User Commands"',
    ]
    page = re.sub(r"\A# .*\n", "", page)
    end = 0
    for fence in FENCE.finditer(page):
        lines += _running_text(page[end : fence.start()])
        lines += [".PP", ".RS 4", ".EX", *(_line(_roff(line)) for line in fence[1].splitlines()), ".EE", ".RE"]
        end = fence.end()
    lines += _running_text(page[end:])
    return re.sub(r"^(\.SH .*\n)\.PP\n", r"\1", "\n".join(lines) + "\n", flags=re.MULTILINE)


def _running_text(markdown: str) -> Iterator[str]:
    """Convert headings, lists of terms and paragraphs to roff. The first heading of the page becomes .TH."""
    for block in COMMENT.sub("", markdown).split("\n\n"):
        text = block.strip()
        if re.fullmatch(r"## .*", text):
            yield f".SH {_roff(text[3:].upper())}"
        elif text.startswith("- "):
            for item in re.split(r"^- ", text, flags=re.MULTILINE)[1:]:
                term, _, meaning = item.partition(": ")
                yield from (".TP", *_paragraph(term), *_paragraph(meaning))
        elif re.match(r"#|>|~~~|```|\||\d+\. |    |\*", block):
            sys.exit(f"{PAGE.name}: the man page knows no such form: {text.splitlines()[0]}")
        elif text:
            yield from (".PP", *_paragraph(text))


def _paragraph(text: str) -> list[str]:
    joined = " ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).split())
    lines = textwrap.wrap(_roff(joined), MAN_WIDTH, break_long_words=False, break_on_hyphens=False)
    return [_line(line) for line in lines]


def _line(text: str) -> str:
    """Escape a dot at the start of a line, where roff expects a command."""
    return f"\\&{text}" if text.startswith(".") else text


def _roff(text: str) -> str:
    """Escape the characters that roff interprets, except a dot at the start of a line. Code becomes bold."""
    for plain, escaped in {"\\": "\\e", "-": "\\-", "'": "\\(aq", "^": "\\(ha", "~": "\\(ti", "`": "\\(ga"}.items():
        text = text.replace(plain, escaped)
    return re.sub(r"\\\(ga(.*?)\\\(ga", r"\\fB\1\\fR", text)


if __name__ == "__main__":
    main()
