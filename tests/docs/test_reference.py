"""The reference and the man page say of the command what it is."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from probe import cli, foreign_options
from probe.options import OPTIONS, TEXTS, URL, Option
from tools import reference
from tools.release.changelog import CHANGELOG

PAGE = reference.PAGE.read_text()
MANUAL = reference.MANUAL.read_text()
PLAIN = re.sub(r"\\f[BR]", "", MANUAL).replace("\\-", "-").replace("\\(aq", "'")


@pytest.mark.parametrize("parameter", cli.build_command().params, ids=lambda parameter: str(parameter.name))
def test_each_parameter_of_the_command_is_on_both_pages(parameter: object) -> None:
    spellings = [*getattr(parameter, "opts", [])]
    for spelling in spellings if spellings != ["url"] else ["URL"]:
        assert f"`{spelling}" in PAGE
        assert spelling in PLAIN


@pytest.mark.parametrize("option", [*OPTIONS, URL], ids=lambda option: option.name)
def test_each_variable_and_default_is_on_both_pages(option: Option) -> None:
    for page in (PAGE.replace("\n  ", " "), PLAIN.replace("\n", " ")):
        assert option.variable in page
        assert option.help in page.replace("`", "")


def test_the_pages_name_no_option_that_there_is_not() -> None:
    known = {option.long for option in (*OPTIONS, *TEXTS)}
    assert set(re.findall(r"(?<![\w-])--[a-z]+", PLAIN)) - known <= {"--interval", "--timeout"}


def test_the_cookbook_has_each_option_of_other_programs_in_its_column() -> None:
    table = (
        reference.COOKBOOK.read_text().partition(reference.FOREIGN_MARKS[0])[2].partition(reference.FOREIGN_MARKS[1])[0]
    )
    head, _, *lines = [line.strip("|").split("|") for line in table.splitlines()]
    programs = [program.strip() for program in head[:-1]]
    assert len(lines) == len(foreign_options.ROWS)
    for option, known in foreign_options.KNOWN.items():
        found = [line for line in lines if re.search(f"`{re.escape(option)}[` ]", "|".join(line[:-1]))]
        assert len(found) == 1
        *columns, instead = found[0]
        assert instead.replace("`", "").strip().lower() == f"{known.instead}.".lower()
        named = [
            name for name, cell in zip(programs, columns, strict=True) if re.search(f"`{re.escape(option)}[` ]", cell)
        ]
        assert tuple(named) == known.programs


def test_the_manual_is_dated_by_the_changelog() -> None:
    date = re.search(r"^## \S+ - (\S+)$", CHANGELOG.read_text(), re.MULTILINE)
    assert date is not None
    assert f" {date[1]} " in MANUAL.splitlines()[1]


def test_mandoc_has_nothing_to_say_of_the_manual() -> None:
    mandoc = shutil.which("mandoc")
    if mandoc is None:
        pytest.skip("there is no mandoc; install Debian's package mandoc")
    done = subprocess.run([mandoc, "-T", "lint", "-W", "warning", reference.MANUAL], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("stale", ["healthchecker.md", "healthchecker.1", "cookbook.md"])
def test_a_stale_page_is_told_with_the_command_to_type(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stale: str
) -> None:
    for name in ("PAGE", "MANUAL", "COOKBOOK"):
        page: Path = getattr(reference, name)
        copy = tmp_path / page.name
        copy.write_text(
            re.sub("HEALTHCHECKER_|--spider", "changed", page.read_text()) if page.name == stale else page.read_text()
        )
        monkeypatch.setattr(reference, name, copy)
    monkeypatch.setattr(sys, "argv", ["reference.py", "--check"])
    with pytest.raises(SystemExit, match=r"type: make docs$"):
        reference.main()


LINES = [
    pytest.param("`-port=80`", r"\fB\-port=80\fR", id="code in bold, dashes as they are typed"),
    pytest.param(r"a\b", r"a\eb", id="backslash"),
    pytest.param("it's", r"it\(aqs", id="quote"),
]


@pytest.mark.parametrize(("markdown", "roff"), LINES)
def test_text_is_set_so_that_roff_takes_none_of_it_for_its_own(markdown: str, roff: str) -> None:
    assert reference.man(f"# page\n\n{markdown}\n", "2026-11-24").splitlines()[-1] == roff


@pytest.mark.parametrize("markdown", [".SH is text\n", "```sh\n.SH is text\n```\n"], ids=["prose", "code"])
def test_a_line_that_begins_with_a_dot_is_text(markdown: str) -> None:
    assert r"\&.SH is text" in reference.man(f"# page\n\n{markdown}", "2026-11-24").splitlines()


@pytest.mark.parametrize("form", ["### Deeper", "| a | b |", "1. One", "> said", "~~~sh\ntrue\n~~~", "# Other\ntext"])
def test_a_form_that_the_man_page_does_not_know_is_refused(form: str) -> None:
    with pytest.raises(SystemExit, match="the man page knows no such form"):
        reference.man(f"# page\n\nText.\n\n{form}\n", "2026-11-24")
