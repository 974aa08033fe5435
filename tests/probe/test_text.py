"""Foreign text on its way to a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.text import clip, printable, quote

CASES = {
    "plain": (b"plain text", "plain text"),
    "letters": ("Grüße ✓".encode(), "Grüße ✓"),
    "escape": (b"\x1b[31mred", r"\x1b[31mred"),
    "line feed": (b"a\nb", r"a\nb"),
    "NUL": (b"\0", r"\x00"),
    "bidi override": ("\u202e".encode(), r"\u202e"),
    "no UTF-8": (b"\xff\xfe", r"\xff\xfe"),
    "an encoded surrogate": (b"\xed\xa0\x80", r"\xed\xa0\x80"),
    "a surrogate that is no byte": ("\udd00", r"\udd00"),
    "C1 control": ("\x9b".encode(), r"\x9b"),
    "line separator": ("\u2028".encode(), r"\u2028"),
}


@pytest.mark.parametrize(("foreign", "shown"), CASES.values(), ids=list(CASES))
def test_only_printable_characters_are_left(foreign: bytes | str, shown: str) -> None:
    assert printable(foreign) == shown


@given(st.binary())
def test_any_bytes_become_printable_text(foreign: bytes) -> None:
    text = printable(foreign)
    assert text.isprintable()
    assert text.encode().decode() == text


@given(st.text(st.characters(codec="utf-8")), st.integers(3, 50))
def test_a_clipped_text_fits_and_is_the_start(text: str, limit: int) -> None:
    clipped = clip(text, limit)
    assert len(clipped.encode()) <= limit
    assert clipped == text or (clipped.endswith("…") and text.startswith(clipped[:-1]))


QUOTED = {
    "a:b": "'a:b'",
    "http://user:secret@host/": "'***@host/'",
    "user:sec@ret@host": "'***@host'",
    "user:secret%40host": "'***@host'",
    "user:secret\uff20host": "'***@host'",
    "user:secret\ufe6bhost": "'***@host'",
    "@host": "'***@host'",
    "secret" * 100 + "@host": "'***@host'",
}


@pytest.mark.parametrize(("text", "quoted"), QUOTED.items(), ids=lambda text: text[:30])
def test_what_may_be_credentials_is_not_quoted(text: str, quoted: str) -> None:
    assert quote(text) == quoted
