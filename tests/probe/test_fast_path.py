"""The fast path and click give the same settings, for every argument list that the fast path accepts."""

from contextlib import suppress
from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from probe import cli, fast_path
from probe.errors import UsageError
from probe.options import OPTIONS, PARAMETERS, SPELLINGS, Option
from probe.settings import Settings
from testing.arguments import VALUES


def without_source(settings: object) -> Settings:
    """Return the settings, to compare with those of another spelling."""
    assert isinstance(settings, Settings)
    return replace(settings, cacert=settings.cacert and replace(settings.cacert, source=""))


ORDINARY: dict[str, tuple[list[str], dict[bytes, bytes]]] = {
    "nothing": ([], {}),
    "the original's": (["-port=6767"], {}),
    "the original's in two": (["-port", "6767"], {}),
    "two dashes": (["--port=6767"], {}),
    "short": (["-p", "6767"], {}),
    "everything": (
        ["-host", "::1", "--port=1", "-path=/a?b=c", "-t", "1m30s", "-e", "2xx,401", "-k", "-v"],
        {},
    ),
    "URL": (["http://service:8080/health"], {}),
    "URL without a scheme": (["localhost:8080/health"], {}),
    "URL without a scheme, by its path": (["service/health"], {}),
    "URL without a scheme from the environment": ([], {b"HEALTHCHECKER_URL": b"[::1]:8080"}),
    "leading zeros": (["-port=0080", "-timeout=010s"], {}),
    "https": (["https://service/health", "--cacert=/nonexistent"], {}),
    "expansion": (["-port=${P:-6767}"], {b"P": b"1"}),
    "environment": ([], {b"HEALTHCHECKER_PORT": b"${P}", b"P": b"99", b"HEALTHCHECKER_VERBOSE": b"true"}),
    "a switch that is off": ([], {b"HEALTHCHECKER_VERBOSE": b"false"}),
    "a port that Kubernetes sets": (
        [],
        {b"HEALTHCHECKER_URL": b"http://a/b", b"HEALTHCHECKER_PORT": b"tcp://10.0.0.1:80"},
    ),
    "URL from the environment": ([], {b"HEALTHCHECKER_URL": b"http://a/b"}),
    "the command line wins": (["-port=1"], {b"HEALTHCHECKER_PORT": b"2", b"HEALTHCHECKER_TIMEOUT": b"1s"}),
    "the command line wins over a URL": (["-port=1"], {b"HEALTHCHECKER_URL": b"http://a/b"}),
    "the URL wins over a port": (["http://a/b"], {b"HEALTHCHECKER_PORT": b"2"}),
    "the last one wins": (["-port=1", "--port", "2"], {}),
}


@pytest.mark.parametrize(("arguments", "environ"), ORDINARY.values(), ids=list(ORDINARY))
def test_ordinary_arguments_need_no_click(arguments: list[str], environ: dict[bytes, bytes]) -> None:
    assert fast_path.parse(arguments, environ) == cli.parse(arguments, environ)


LEFT_TO_CLICK = {
    "help": ["--help"],
    "short help": ["-h"],
    "version": ["-version"],
    "unknown": ["--prot=1"],
    "abbreviated": ["--por=1"],
    "attached": ["-p6767"],
    "clustered": ["-kv"],
    "missing value": ["--port"],
    "missing host": ["--host"],
    "switch for a host": ["--host", "-v"],
    "option for a value": ["--host", "--port", "80"],
    "switch with a value": ["--verbose=1"],
    "end of options": ["--", "http://a/"],
    "two URLs": ["http://a/", "http://b/"],
    "bad port": ["-port=0"],
    "unset variable": ["-port=${UNSET}"],
    "port and URL": ["-port=1", "http://a/"],
    "no file": ["--cacert="],
    "international name alone": ["bücher"],
    "international name beside a port": ["-port=1", "bücher:80"],
    "word": ["health"],
    "path": ["-port=1", "/health"],
    "number": ["8080"],
    "two arguments in one": ["-timeout 30s"],
    "option of curl": ["-f"],
    "link of Kubernetes": ["-port=tcp://10.0.0.1:80"],
    "lone dash": ["-"],
}


@pytest.mark.parametrize("arguments", LEFT_TO_CLICK.values(), ids=list(LEFT_TO_CLICK))
def test_what_is_not_plainly_ordinary_is_left_to_click(arguments: list[str]) -> None:
    assert fast_path.parse(arguments, {}) is None


values = st.sampled_from(VALUES) | st.text(max_size=5)
tokens = (
    st.builds("{}={}".format, st.sampled_from(list(SPELLINGS)), values)
    | st.sampled_from([*SPELLINGS, "-h", "--help", "-version", "-kv", "-p80", "-prot=1", "--por=1", "--"])
    | values
)
# Mostly well-formed lists, so that many are accepted; each list says of itself whether it was.
fitting = st.sampled_from(
    [
        *(["-port=${A}"], ["-p", "99"], ["--host", "localhost"], ["-host=::1"], ["-path", "x y"], ["--path=/a?b"]),
        *(["-t", "3"], ["--timeout=1m"], ["-e=200"], ["-expect", "2xx"], ["-k"], ["-verbose"], ["http://a:1/b"]),
    ]
)
lists = st.lists(tokens, max_size=5) | st.lists(fitting, max_size=4).map(lambda groups: list(chain(*groups)))
environs = st.dictionaries(
    st.sampled_from([option.variable.encode() for option in PARAMETERS] + [b"A", b"B"]),
    values.map(lambda text: text.encode("utf-8", "replace")),
    max_size=3,
)


@settings(max_examples=1500)
@given(lists, environs)
def test_click_gives_the_same_settings_wherever_the_fast_path_answers(
    arguments: list[str], environ: dict[bytes, bytes]
) -> None:
    accepted = fast_path.parse(arguments, environ)
    event(f"accepted: {accepted is not None}")
    if accepted is not None:
        assert accepted == cli.parse(arguments, environ)


def sample(option: Option) -> str:
    """A value of the option that makes another check."""
    for value in VALUES:
        with suppress(UsageError):
            if cli.parse([f"--{option.name}", value], {}) != cli.parse([], {}):
                return value
    pytest.fail(f"VALUES has no value for {option.long}")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda one: one.name)
def test_every_spelling_of_an_option_means_the_same(option: Option) -> None:
    spellings = [spelling for spelling, named in SPELLINGS.items() if named is option]
    value = [sample(option)] if option.metavar else []
    found = [without_source(cli.parse([spelling, *value], {})) for spelling in spellings]
    found += [without_source(fast_path.parse([spelling, *value], {})) for spelling in spellings]
    found.append(without_source(fast_path.parse([], {option.variable.encode(): (value or ["1"])[0].encode()})))
    assert all(settings == found[0] for settings in found)
    assert found[0] != without_source(fast_path.parse([], {}))
