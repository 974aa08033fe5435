"""The executable file: static, one process, nothing written, and no damage without a word."""

import os
import re
import signal
import struct
import subprocess
from pathlib import Path

import pytest

from testing.elf import PF_W, PF_X, PT_DYNAMIC, PT_GNU_STACK, PT_INTERP, PT_LOAD, segments
from testing.executable import Case, assert_all_come_out_right, damaged, start
from testing.program import waiting
from testing.waiting import wait_until_caught


def test_it_is_static(binary: Path) -> None:
    found = segments(binary)
    assert len(found[PT_LOAD]) >= 2
    assert PT_INTERP not in found
    assert PT_DYNAMIC not in found  # which is where a needed library would be named


def test_no_memory_can_be_written_and_executed(binary: Path) -> None:
    found = segments(binary)
    assert [flags for flags in found[PT_LOAD] if flags & PF_X and flags & PF_W] == []
    assert [flags & PF_X for flags in found[PT_GNU_STACK]] == [0]


def mappings(binary: Path) -> dict[str, str]:
    """Where the parts of a process begin, by their names."""
    with waiting([str(binary)]) as process:
        lines = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
    return {[*line.split(), ""][5]: line.partition("-")[0] for line in reversed(lines)}


def test_what_is_not_in_the_file_lies_elsewhere_in_each_process(binary: Path) -> None:
    if Path("/proc/sys/kernel/randomize_va_space").read_text().strip() != "2":
        pytest.skip("this machine does not randomize addresses")
    processes = [mappings(binary) for _ in range(5)]
    for name in ("[stack]", "[heap]", "[vdso]"):
        assert len({process[name] for process in processes}) > 1, name


# What a trace shows of a process that writes a file, starts another, or loads code.
WRITES = re.compile(
    r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_TMPFILE|^(creat|mkdir|mknod|link|symlink|rename|unlink|truncate)"
)
STARTS = re.compile(r"^(fork|vfork|execve|execveat|clone3?\((?!.*CLONE_THREAD))")


def test_it_writes_no_file_and_starts_no_process(binary: Path, tmp_path: Path, cases: dict[str, Case]) -> None:
    log = tmp_path / "trace"
    trace = ["strace", "--follow-forks", "--quiet=all", "--trace=%file,%process,open", f"--output={log}"]

    def traced(arguments: list[str]) -> "subprocess.CompletedProcess[bytes]":
        done = start([*trace, str(binary), *arguments], env={"PATH": os.environ["PATH"]})
        calls = [line.split(maxsplit=1)[1] for line in log.read_text().splitlines()]
        assert [call for call in calls if WRITES.search(call)] == []
        assert [call.partition("(")[0] for call in calls if STARTS.search(call)] == ["execve"]
        return done

    assert_all_come_out_right(cases, traced)


def test_killed_at_any_moment_it_leaves_nothing_behind(binary: Path, tmp_path: Path, cases: dict[str, Case]) -> None:
    for name, longest in {"healthy": 0.005, "refused": 0.005, "help": 0.01, "https": 0.03}.items():
        for step in range(12):
            process = subprocess.Popen(
                [binary, *cases[name].arguments],
                env={"TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
                cwd=tmp_path,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            signal.sigtimedwait([], longest * step / 12)
            process.kill()
            assert process.wait(30) in (-signal.SIGKILL, cases[name].status)
            with pytest.raises(ProcessLookupError):  # nobody else in its group
                os.killpg(process.pid, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", ["healthy", "help"])
def test_cut_short_anywhere_it_says_so(binary: Path, tmp_path: Path, case: str, cases: dict[str, Case]) -> None:
    whole = binary.read_bytes()
    line = b"internal error: this executable is damaged; copy it again\n"
    cuts = [16 * 1024, 100_000, *(len(whole) * part // 20 for part in range(1, 20)), len(whole) - 1]
    for cut in cuts:
        done = damaged(binary, tmp_path / "copy", whole[:cut], *cases[case].arguments)
        assert (done.returncode, done.stdout, done.stderr) == (1, b"", line), cut


def test_a_copy_in_full_length_that_broke_off_says_so(binary: Path, tmp_path: Path, cases: dict[str, Case]) -> None:
    whole = binary.read_bytes()
    for part in range(1, 10):
        cut = len(whole) * part // 10
        done = damaged(binary, tmp_path / "copy", whole[:cut].ljust(len(whole), b"\0"), *cases["healthy"].arguments)
        assert (done.returncode, done.stderr.count(b"\n"), b"damaged" in done.stderr) == (1, 1, True), cut


def test_a_crash_is_one_line_and_1(binary: Path) -> None:
    for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT):
        with waiting([str(binary)]) as process:
            wait_until_caught(process.pid, number)
            process.send_signal(number)
            _, line = process.communicate(timeout=30)
        assert (process.returncode, line.count("\n")) == (1, 1)
        assert line.startswith("internal error: crashed; ")


def test_the_seal_is_the_files_own(binary: Path) -> None:
    data = binary.read_bytes()
    size, end = struct.unpack_from("=Q16s", data, data.index(b"the seal of this file") + 24)
    assert (size, end) == (len(data), data[-16:])
