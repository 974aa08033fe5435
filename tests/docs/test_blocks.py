"""What the tests of the documentation's commands would notice."""

from pathlib import Path

import pytest

from testing.blocks import Session, apart, blocks, sessions, strays, unused
from testing.sessions import perform

PAGE = """# A page

<!-- runs -->
```sh
name=world; echo "hello $name"  # a comment
```

```text
hello world
```

```sh
rm -rf unmarked
```

## Another section

1. In a list:

   <!-- file: page.html -->
   ```html
   <html>
   ```

   <!-- runs -->
   ```sh
   cat page.html
   ```
"""


def page(folder: Path, text: str) -> Path:
    file = folder / "page.md"
    file.write_text(text)
    return file


def session(folder: Path, commands: str, printed: str = "") -> Session:
    text = f"<!-- runs -->\n```sh\n{commands}\n```\n\n```text\n{printed}\n```\n"
    (found,) = sessions(page(folder, text), "runs")
    return found


def test_a_block_has_its_place_and_its_mark(tmp_path: Path) -> None:
    found = [(block.place, block.kind, block.argument, block.text) for block in blocks(page(tmp_path, PAGE))]
    assert found == [
        ("page.md:4", "runs", "", 'name=world; echo "hello $name"  # a comment\n'),
        ("page.md:12", "", "", "rm -rf unmarked\n"),
        ("page.md:21", "file", "page.html", "<html>\n"),
        ("page.md:26", "runs", "", "cat page.html\n"),
    ]


def test_a_section_is_a_session_unless_the_page_is_one(tmp_path: Path) -> None:
    kinds = ("runs", "file")
    assert [found.name for found in sessions(page(tmp_path, PAGE), *kinds)] == ["page.md: ", "page.md: Another section"]
    assert [found.name for found in sessions(page(tmp_path, "<!-- one session -->\n" + PAGE), *kinds)] == ["page.md"]


def test_blocks_of_a_session_share_variables_and_files(tmp_path: Path) -> None:
    folder = tmp_path / "place"
    folder.mkdir()
    for found in sessions(page(tmp_path, PAGE), "runs", "file"):
        perform(found, folder, 30)
    assert (folder / "page.html").read_text() == "<html>\n"


STRAYS = {
    "tildes": "~~~sh\nfalse\n~~~",
    "four backticks": "````sh\nfalse\n````",
    "a language of two words": "```sh-session\nfalse\n```",
    "attributes": "```sh title=x\nfalse\n```",
    "in a quote": "> ```sh\n> false\n> ```",
    "in a list, behind a tab": "*   item\n\n\t```sh\n\tfalse\n\t```",
    "on the line of a list": "1. ```sh\n   false\n   ```",
    "no end": "```sh\nfalse\n",
    "an end that is none": "```sh\nfalse\n``` ",
    "HTML": "<pre>false</pre>",
    "a prompt": "    $ false",
    "a prompt in what is printed": "```text\n$ false\n```",
}


@pytest.mark.parametrize("text", STRAYS.values(), ids=list(STRAYS))
def test_what_looks_like_a_block_or_a_command_is_found(tmp_path: Path, text: str) -> None:
    assert strays(page(tmp_path, PAGE)) == []
    found = strays(page(tmp_path, f"{PAGE}\n{text}\n\n{PAGE}"))
    first = PAGE.count("\n") + 2
    last = first + text.count("\n")
    assert found
    assert set(found) <= {f"page.md:{line}" for line in range(first, last + 1)}


def test_what_is_printed_is_found_where_it_is_not_compared(tmp_path: Path) -> None:
    assert apart(page(tmp_path, PAGE)) == []
    assert apart(page(tmp_path, PAGE.replace("```text", "It says:\n\n```text"))) == ["page.md:10"]


def test_a_reason_has_words(tmp_path: Path) -> None:
    text = "<!-- not run here: {} -->\n```sh\nfalse\n```\n"
    kinds = [blocks(page(tmp_path, text.format(reason)))[0].kind for reason in ("x", "too slow", "it needs GitHub")]
    assert kinds == ["", "", "not run"]


def test_a_file_is_used_by_commands_behind_it(tmp_path: Path) -> None:
    command, file = "<!-- runs -->\n```sh\ntrue\n```\n", "<!-- file: a.sh -->\n```sh\ntrue\n```\n"
    unit = file.replace("```sh", "```ini")
    found = [sessions(page(tmp_path, text), "runs", "file") for text in (file + command, command + file, unit)]
    assert [unused(session) for (session,) in found] == [[], ["page.md:6"], []]


BROKEN = {
    "other output": ("echo no", "echo yes", "page.md:2 prints something else"),
    "a command that fails": ("false; echo no", "", "page.md:2: exit status 1, having printed:"),
    "a command that fails in a pipe": ("false | cat", "", "page.md:2: exit status 1, having printed:"),
    "an unset variable": ("echo $nowhere", "", "nowhere: unbound variable"),
    "an early end": (
        "exit 0; echo no",
        "",
        "page.md:2: it ends the session before the commands behind it",
    ),
    "no end": ("sleep 60 & wait", "", "page.md:2: no end within 1 s, having printed:"),
}


@pytest.mark.parametrize(("commands", "printed", "words"), BROKEN.values(), ids=list(BROKEN))
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, commands: str, printed: str, words: str) -> None:
    folder = tmp_path / "place"
    folder.mkdir()
    with pytest.raises((AssertionError, pytest.fail.Exception)) as caught:
        perform(session(tmp_path, commands, printed), folder, 1 if words.startswith("page.md:2: no end") else 30)
    assert words in str(caught.value)


def test_times_addresses_and_identities_may_differ(tmp_path: Path) -> None:
    folder = tmp_path / "place"
    folder.mkdir()
    printed = '(1 ms) {"servedBy":"10.0.1.5"}'
    perform(session(tmp_path, """echo '(23 ms) {"servedBy":"172.17.0.9"}'""", printed), folder, 30)
