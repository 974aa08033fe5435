"""Options of other programs have one answer each, and ours are guessed only where they are close."""

from itertools import chain
from time import monotonic

import pytest

from probe import foreign_options
from probe.__main__ import run
from probe.verdict import UNHEALTHY


def said(*arguments: str) -> str:
    outcome = run(list(arguments), {}, monotonic())
    assert outcome.exit_code == UNHEALTHY
    return outcome.output


def listed(row: foreign_options.Row) -> set[str]:
    fields = (getattr(row, program).split(", ") for program in foreign_options.PROGRAMS)
    return {option.partition(" ")[0] for option in chain(*fields) if option}


def test_no_option_is_in_two_rows_or_one_of_ours() -> None:
    spellings = [spelling for row in foreign_options.ROWS for spelling in listed(row)]
    assert len(spellings) == len(set(spellings))
    assert not set(spellings) & set(foreign_options.OWN)


@pytest.mark.parametrize("row", foreign_options.ROWS, ids=lambda row: row.instead)
def test_each_option_is_answered_in_every_spelling(row: foreign_options.Row) -> None:
    for spelling in listed(row):
        for written in {spelling, spelling.replace("--", "-", 1), f"{spelling}=1"}:
            line = said(written)
            assert line.startswith(f"usage error: '{written.partition('=')[0]}' is an option of ")
            assert line.endswith(f"; {row.instead}\n")


@pytest.mark.parametrize("row", foreign_options.ROWS, ids=lambda row: row.instead)
def test_what_is_to_be_written_instead_is_an_option_of_ours(row: foreign_options.Row) -> None:
    dockers = {"--interval", "--retries"}
    named = {word.partition("=")[0].rstrip(",") for word in row.instead.split() if word.startswith("--")}
    assert named <= {*foreign_options.OWN, *dockers}


CLUSTERS = {
    "-sf": ("-sf", ["-s", "-f"]),
    "-fsS": ("-fsS", ["-f", "-s"]),
    "-fsSL": ("-fsSL", ["-f", "-s", "-L"]),
    "-qO-": ("-qO", ["-q", "-O"]),
    "-sfm5": ("-sfm", ["-s", "-f", "-m"]),
    "-sfm=5": ("-sfm", ["-s", "-f", "-m"]),
    "-kfs": ("-kfs", ["-f", "-s"]),
    "-fso/dev/null": ("-fso", ["-f", "-s", "-o"]),
}


@pytest.mark.parametrize(("argument", "parts"), CLUSTERS.items(), ids=list(CLUSTERS))
def test_short_options_in_one_argument_are_answered_one_by_one(argument: str, parts: tuple[str, list[str]]) -> None:
    line = said(argument)
    assert line.startswith(f"usage error: '{parts[0]}' has options of ")
    positions = [line.index(f"; {option}") for option in parts[1]]
    assert positions == sorted(positions)
    for option in parts[1]:
        assert foreign_options.KNOWN[option].instead in line


ALONE = {"-m5": "-m", "-T5": "-T", "-XPOST": "-X", "-kf": "-f", "-vL": "-L", "-o/dev/null": "-o"}


@pytest.mark.parametrize(("argument", "option"), ALONE.items(), ids=list(ALONE))
def test_one_alone_among_them_is_answered_as_by_itself(argument: str, option: str) -> None:
    assert said(argument) == said(option)


@pytest.mark.parametrize(
    "arguments", [["-uadmin:secret"], ["-u", "admin:secret"], ["-su admin:secret"], ["--user=a:secret"]]
)
def test_no_password_is_repeated(arguments: list[str]) -> None:
    line = said(*arguments)
    assert "ask for a path that needs no credentials" in line
    assert "secret" not in line


NO_CLUSTERS = ["-z", "-fz", "-zf", "-f ", "-pf", "--fs"]


@pytest.mark.parametrize("argument", NO_CLUSTERS)
def test_what_holds_something_unknown_is_no_cluster(argument: str) -> None:
    assert foreign_options.cluster(argument) == ""


GUESSES = {
    "--prot": "--port",
    "-hots": "--host",
    "--tiemout": "--timeout",
    "--timeouts": "--timeout",
    "--expected": "--expect",
    "--insecrue": "--insecure",
    "-pth": "--path",
    "--verbos": "--verbose",
}


@pytest.mark.parametrize(("mistyped", "meant"), GUESSES.items(), ids=list(GUESSES))
def test_a_close_option_is_guessed(mistyped: str, meant: str) -> None:
    assert said(mistyped).startswith(f"usage error: '{mistyped}' is not an option; did you mean {meant}?; ")


FAR = ["-z", "--zz", "--health", "--address", "--status", "--silence", "--max", "--wait-for", "--code", "--method-get"]


@pytest.mark.parametrize("argument", [*FAR, *foreign_options.KNOWN, *CLUSTERS])
def test_what_is_not_close_is_not_guessed(argument: str) -> None:
    assert "did you mean" not in said(argument)
