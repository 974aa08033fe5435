"""`${NAME}` and its like, as a shell would expand them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.errors import UsageError
from probe.expand import expand

ENVIRON = {b"PORT": b"6767", b"EMPTY": b"", b"NESTED": b"${PORT}", b"RAW": b"\xff"}

CASES = {
    "nothing": ("plain", "plain"),
    "variable": ("${PORT}", "6767"),
    "inside": ("-port=${PORT}/", "-port=6767/"),
    "default of an unset variable": ("${UNSET:-80}", "80"),
    "default of an empty variable": ("${EMPTY:-80}", "80"),
    "empty variable": ("a${EMPTY}b", "ab"),
    "empty default": ("${UNSET:-}", ""),
    "default not taken": ("${PORT:-80}", "6767"),
    "two": ("${PORT}${UNSET:-1}", "67671"),
    "default with a variable": ("${UNSET:-${PORT}}", "6767"),
    "default in a default": ("${UNSET:-${ALSO:-80}}x", "80x"),
    "default not taken is not expanded": ("${PORT:-${UNSET}}", "6767"),
    "values are not expanded again": ("${NESTED}", "${PORT}"),
    "two dollars": ("$$", "$"),
    "two dollars and a brace": ("$${PORT}", "${PORT}"),
    "two dollars in a default": ("${UNSET:-$$}", "$"),
    "two dollars and a brace in a default": ("${UNSET:-$${}", "${"),
    "lone dollar": ("/a?$filter=1$", "/a?$filter=1$"),
    "no braces": ("$PORT", "$PORT"),
    "bytes that are no UTF-8": ("${RAW}", "\udcff"),
}


@pytest.mark.parametrize(("text", "expanded"), CASES.values(), ids=list(CASES))
def test_each_form_is_expanded(text: str, expanded: str) -> None:
    assert expand(text, ENVIRON) == expanded


def test_an_unset_variable_without_a_default_is_named() -> None:
    with pytest.raises(UsageError, match=r"variable UNSET is not set; .*\$\{UNSET:-default\}"):
        expand("${UNSET}", ENVIRON)


@pytest.mark.parametrize("text", ["${}", "${1A}", "${A-b}", "${A:?x}", "${A B}", "${:-x}", "${${PORT}}", "${Ä}"])
def test_what_is_no_expansion_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="is not an expansion; write") as error:
        expand("x" + text, ENVIRON)
    assert f"'{text}'" in str(error.value)


@pytest.mark.parametrize("text", ["${PORT", "${PORT:-", "${A:-${B}", "x${"])
def test_a_missing_brace_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="has no closing brace"):
        expand(text, ENVIRON)


def test_defaults_in_defaults_have_a_bound() -> None:
    assert expand("${A:-" * 10 + "x" + "}" * 10, {}) == "x"
    with pytest.raises(UsageError, match="nested more than 10 deep"):
        expand("${A:-" * 5000 + "x" + "}" * 5000, {})


@given(st.text())
def test_a_text_with_its_dollars_doubled_comes_out_as_itself(text: str) -> None:
    assert expand(text.replace("$", "$$"), {}) == text


@given(st.text(alphabet="${}:-AB "))
def test_any_text_is_expanded_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert isinstance(expand(text, {b"A": b"1"}), str)
