"""Texts become values, or an error that names the text and what is accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe import parsers
from probe.errors import UsageError
from probe.text import format_duration


@pytest.mark.parametrize("text", ["1", "80", "6767", "65535", "080", "0080", "039923", "065535", "0" * 5000 + "80"])
def test_a_port_is_a_whole_number(text: str) -> None:
    assert parsers.port(text) == int(text.lstrip("0"))


@pytest.mark.parametrize(
    "text", ["0", "0000", "65536", "065536", "abc", "", "-1", "+80", "8 0", "1_0", "٣", "8.0", "999999999", "=80"]
)
def test_no_port_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parsers.port(text)
    assert str(error.value) == f"'{text}' is not a port; expected a whole number from 1 to 65535"


DURATIONS = {
    "3": 3.0,
    "0.5": 0.5,
    "500ms": 0.5,
    "3s": 3.0,
    "1m": 60.0,
    "1m30s": 90.0,
    "1.5s": 1.5,
    "1h": 3600.0,
    "1h1m1s1ms": 3661.001,
    "24h": 86400.0,
    "0.1ms": 0.0001,
    "0003": 3.0,
    "0" * 30 + "3s": 3.0,
    "01m030s": 90.0,
}


@pytest.mark.parametrize(("text", "seconds"), DURATIONS.items(), ids=list(DURATIONS))
def test_a_duration_is_in_seconds(text: str, seconds: float) -> None:
    assert parsers.duration(text) == pytest.approx(seconds)


NO_DURATIONS = ["", "0", "0s", "0.0", "-1", "-1s", "+1", "1d", "s", "ms", "1s1m", "1s1s", "1m30", "1 s", "1e3", "nan"]
NO_DURATIONS += ["inf", "25h", "1.", ".5", "1..5s", "1S", "٣s", "9" * 400, "1m-1s", "1sm"]


@pytest.mark.parametrize("text", NO_DURATIONS)
def test_no_duration_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(UsageError, match="is not a timeout; expected a duration above 0 and up to 24h") as error:
        parsers.duration(text)
    assert f"'{text[:100]}" in str(error.value)


SHOWN = {0.5: "500ms", 1: "1s", 2: "2s", 3.0: "3s", 1.5: "1.5s", 60: "1m", 90: "1m30s", 0.0001: "0.1ms", 3600: "60m"}


@pytest.mark.parametrize(("seconds", "text"), SHOWN.items(), ids=list(SHOWN.values()))
def test_a_duration_is_shown_as_a_user_writes_it(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(1, 24 * 3600 * 1000))
def test_a_shown_duration_reads_back_as_itself(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert parsers.duration(format_duration(seconds)) == pytest.approx(seconds)


STATUSES = {
    "200": {200},
    "200,204": {200, 204},
    "200-299": set(range(200, 300)),
    "2xx": set(range(200, 300)),
    "5XX": set(range(500, 600)),
    "200-299,401": {*range(200, 300), 401},
    "100-599": set(range(100, 600)),
    "204-204": {204},
}


@pytest.mark.parametrize(("text", "accepted"), STATUSES.items(), ids=list(STATUSES))
def test_statuses_hold_what_they_list_and_no_other(text: str, accepted: set[int]) -> None:
    statuses = parsers.statuses(text)
    assert {status for status in range(1000) if status in statuses} == accepted
    assert statuses.text == text


NO_STATUSES = ["99", "600", "abc", "300-200", "", ",", "200,", "0200", "xx", "Xxx", "6xx", "2x", "200-", "-200"]
NO_STATUSES += ["2xx-3xx", "٢٠٠"]


@pytest.mark.parametrize("text", NO_STATUSES)
def test_no_statuses_are_an_error_that_names_them(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parsers.statuses(text)
    expected = "codes from 100 to 599, such as 200, 200,204, 200-299 or 2xx"
    assert str(error.value) == f"'{text}' is not a list of statuses; expected {expected}"


def test_no_file_is_an_error_that_says_what_the_file_holds() -> None:
    with pytest.raises(UsageError, match="^'' is not a file; expected a file of PEM certificates$"):
        parsers.file("")


@pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), ("Yes", True), ("0", False), ("off", False)])
def test_a_switch_has_words_for_both(text: str, value: bool) -> None:
    assert parsers.flag(text) is value


def test_no_switch_is_an_error_that_names_it() -> None:
    with pytest.raises(UsageError, match="'maybe' is not a switch; expected 1 or 0"):
        parsers.flag("maybe")
