"""The executable needs nothing from where it runs, and listens to nothing there."""

import os
import resource
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

from testing import servers
from testing.certificates import Authority
from testing.executable import Case, assert_all_come_out_right, inside, start
from testing.privileges import needs_root
from testing.program import waiting
from testing.servers import serving


@pytest.fixture
def scratch(binary: Path, tmp_path: Path) -> Path:
    """An image with one file: no /proc, no /tmp, no /etc, no library."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    shutil.copy(binary, folder / "healthchecker")
    tmp_path.chmod(0o755)
    return folder


def run_inside(scratch: Path, command: list[str], arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Run the command in the image."""
    return start([*inside(scratch), *command, *arguments])


@needs_root
@pytest.mark.parametrize(
    "command", ["/healthchecker", "./healthchecker", "/link", "/folder/relative"], ids=lambda path: path
)
def test_it_runs_in_an_empty_image(scratch: Path, command: str, cases: dict[str, Case]) -> None:
    (scratch / "link").symlink_to("healthchecker")
    (scratch / "folder").mkdir()
    (scratch / "folder" / "relative").symlink_to("../healthchecker")
    assert_all_come_out_right(cases, lambda arguments: run_inside(scratch, [command], arguments))


@pytest.mark.parametrize("name", ["", "/nonexistent", "\udcff", "x" * 5000], ids=["empty", "lie", "no UTF-8", "long"])
def test_argv_0_may_be_anything(binary: Path, name: str, cases: dict[str, Case]) -> None:
    assert_all_come_out_right(
        cases, lambda arguments: start([name, *arguments], executable=binary, start_new_session=True)
    )


@needs_root
def test_a_system_store_in_the_image_is_what_it_trusts(scratch: Path, authority: Authority) -> None:
    (scratch / "etc/ssl/certs").mkdir(parents=True)
    with serving(servers.replying(servers.OK), tls=authority.context("127.0.0.1")) as port:
        url = [f"https://127.0.0.1:{port}", "-t=20"]
        before = run_inside(scratch, ["/healthchecker"], url)
        shutil.copy(authority.file, scratch / "etc/ssl/certs/ca-certificates.crt")
        after = run_inside(scratch, ["/healthchecker"], url)
    assert (before.returncode, b"certificate not trusted" in before.stderr) == (1, True)
    assert (after.returncode, after.stderr) == (0, b"")


@needs_root
def test_no_library_of_the_systems_name_service_is_loaded(scratch: Path) -> None:
    (scratch / "etc").mkdir()
    (scratch / "etc/nsswitch.conf").write_text("hosts: mymachines resolve [!UNAVAIL=return] myhostname\n")
    (scratch / "etc/hosts").write_text("127.0.0.1 service\n")
    with serving(servers.replying(servers.OK)) as port:
        arguments = ["/healthchecker", "-host=service", f"-port={port}", "-t=20"]
        trace = ["strace", "-f", "-e", "trace=open,openat,openat2", *inside(scratch)]
        done = start([*trace, *arguments], env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0
    opened = done.stderr.decode().partition('"/proc/self/exe"')[2]
    assert '"/etc/hosts"' in opened
    assert ".so" not in opened


@needs_root
def test_an_international_name_is_looked_up_as_dns_has_it(scratch: Path) -> None:
    (scratch / "etc").mkdir()
    (scratch / "etc/hosts").write_text("127.0.0.1 xn--strae-oqa.test\n")
    with serving(servers.replying(servers.OK)) as port:
        done = run_inside(scratch, ["/healthchecker"], ["-host=straße.test", f"-port={port}", "-t=20", "-v"])
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(f"healthy: GET http://xn--strae-oqa.test:{port}/health: 200 OK".encode())


@needs_root
def test_an_unknown_name_is_one_line(scratch: Path) -> None:
    done = run_inside(scratch, ["/healthchecker"], ["-host=no.such.invalid", "-t=20"])  # asks 127.0.0.1: no resolv.conf
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert b"cannot look up 'no.such.invalid'" in done.stderr


@needs_root
def test_a_file_that_may_be_run_but_not_read_runs(scratch: Path, cases: dict[str, Case]) -> None:
    (scratch / "healthchecker").chmod(0o111)
    assert_all_come_out_right(cases, lambda arguments: run_inside(scratch, ["/healthchecker"], arguments))


@pytest.mark.parametrize("where", ["absolute", "relative", "by a symbolic link", "deleted meanwhile"])
def test_it_runs_from_anywhere(binary: Path, tmp_path: Path, where: str, cases: dict[str, Case]) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(binary)
    path = {"absolute": str(binary), "relative": os.path.relpath(binary, tmp_path), "by a symbolic link": "./link"}
    if where == "deleted meanwhile":
        shutil.copy(binary, tmp_path / "copy")
        with (tmp_path / "copy").open("rb") as held:
            (tmp_path / "copy").unlink()
            descriptor = f"/proc/self/fd/{held.fileno()}"
            assert_all_come_out_right(
                cases, lambda arguments: start([descriptor, *arguments], pass_fds=[held.fileno()])
            )
        return
    assert_all_come_out_right(cases, lambda arguments: start([path[where], *arguments], cwd=tmp_path))


HOSTILE = {
    "python": {
        "PYTHONHOME": "/nonexistent",
        "PYTHONPATH": "POSING",
        "PYTHONPLATLIBDIR": "/nonexistent",
        "PYTHONSTARTUP": "POSING/click.py",
        "PYTHONINSPECT": "1",
        "PYTHONVERBOSE": "2",
        "PYTHONDEBUG": "1",
        "PYTHONDEVMODE": "1",
        "PYTHONMALLOC": "debug",
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "utf-16",
        "PYTHONWARNINGS": "error",
        "PYTHONTRACEMALLOC": "25",
        "PYTHONHASHSEED": "none",
        "PYTHONCOERCECLOCALE": "warn",
        "PYTHONPROFILEIMPORTTIME": "1",
        "PYTHONEXECUTABLE": "/nonexistent",
    },
    "loader": {
        "LD_PRELOAD": "/nonexistent.so",
        "LD_LIBRARY_PATH": "POSING",
        "LD_AUDIT": "/nonexistent.so",
        "LD_DEBUG": "all",
        "LD_BIND_NOW": "1",
        "GLIBC_TUNABLES": "glibc.malloc.top_pad=1000000000000:glibc.rtld.optional_static_tls=1000000000000",
        "MALLOC_TOP_PAD_": "1000000000000",
        "MALLOC_PERTURB_": "165",
    },
    "pyinstaller": {
        "_PYI_ARCHIVE_FILE": "/etc/passwd",
        "_PYI_APPLICATION_HOME_DIR": "POSING",
        "_PYI_PARENT_PROCESS_LEVEL": "1",
        "_PYI_LINUX_PROCESS_NAME": "other",
        "_MEIPASS2": "POSING",
        "PYINSTALLER_RESET_ENVIRONMENT": "1",
    },
    "tls": {
        "SSL_CERT_FILE": "AUTHORITY",
        "SSL_CERT_DIR": "POSING",
        "REQUESTS_CA_BUNDLE": "AUTHORITY",
        "OPENSSL_CONF": "POSING/click.py",
        "OPENSSL_MODULES": "POSING",
        "OPENSSL_ENGINES": "POSING",
        "OPENSSL_ia32cap": "0xffffffffffffffff",
        "SSLKEYLOGFILE": "POSING/keys",
    },
    "locale": {"LC_ALL": "tr_TR.ISO-8859-9", "LANG": "xx_XX.EBCDIC", "LANGUAGE": "xx", "TZ": ":/nonexistent"},
    "look-up": {"RES_OPTIONS": "timeout:30", "HOSTALIASES": "POSING/click.py", "LOCALDOMAIN": "example.org"},
    "proxy": dict.fromkeys(("http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:1"),
}


@pytest.mark.parametrize("environ", HOSTILE.values(), ids=list(HOSTILE))
def test_no_variable_of_others_has_an_effect(
    binary: Path, tmp_path: Path, authority: Authority, environ: dict[str, str], cases: dict[str, Case]
) -> None:
    for module in ("click", "requests", "struct", "chardet", "sitecustomize"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('imported from outside')\n")
    before = sorted(tmp_path.iterdir())
    settings = {
        name: value.replace("POSING", str(tmp_path)).replace("AUTHORITY", str(authority.file))
        for name, value in environ.items()
    }
    run = partial(start, env=settings, cwd=tmp_path)
    assert_all_come_out_right(cases, lambda arguments: run([str(binary), *arguments]))
    assert sorted(tmp_path.iterdir()) == before


def test_no_file_beside_the_executable_is_imported(binary: Path, tmp_path: Path, cases: dict[str, Case]) -> None:
    shutil.copy(binary, tmp_path / "healthchecker")
    for module in ("chardet", "simplejson", "brotli", "socks", "click", "_ssl", "struct", "pyvenv.cfg", "base_library"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('imported from outside')\n")
    (tmp_path / "pyvenv.cfg").write_text("home = /nonexistent\n")
    assert_all_come_out_right(cases, lambda arguments: start(["./healthchecker", *arguments], cwd=tmp_path))


@pytest.mark.parametrize("error", ["EINVAL", "ENOSYS", "EPERM"])  # of an old kernel, and of seccomp
def test_a_kernel_that_does_not_populate_pages_changes_no_verdict(
    binary: Path, error: str, cases: dict[str, Case]
) -> None:
    refusing = ["strace", "--follow-forks", "--output=/dev/null", f"--inject=madvise:error={error}", str(binary)]
    environ = {"PATH": os.environ["PATH"]}
    assert_all_come_out_right(cases, lambda arguments: start([*refusing, *arguments], env=environ))


@pytest.mark.parametrize("closed", ["0", "1", "2", "0 1", "1 2", "0 2", "0 1 2"])
def test_closed_streams_change_no_verdict_and_get_no_output(binary: Path, closed: str, cases: dict[str, Case]) -> None:
    close = " ".join(f"{stream}>&-" for stream in closed.split())
    for name, case in cases.items():
        done = start(["sh", "-c", f'exec "$0" "$@" {close}', str(binary), *case.arguments])
        assert done.returncode == case.status, name
        assert "1" not in closed or not done.stdout
        assert "2" not in closed or not done.stderr


def test_a_directory_for_standard_input_is_no_matter(binary: Path, tmp_path: Path, cases: dict[str, Case]) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    assert_all_come_out_right(cases, lambda arguments: start([str(binary), *arguments], stdin=folder))
    os.close(folder)


def test_a_file_that_may_not_grow_takes_no_line_and_changes_no_verdict(
    binary: Path, tmp_path: Path, cases: dict[str, Case]
) -> None:
    with (tmp_path / "log").open("wb") as log:
        done = subprocess.run(
            [binary, *cases["refused"].arguments],
            env={},
            stderr=log,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        )
    assert (done.returncode, (tmp_path / "log").read_bytes()) == (1, b"")


def test_a_variable_without_a_name_is_no_matter(command: list[str], cases: dict[str, Case]) -> None:
    for name in ("healthy", "refused", "https", "help"):
        done = start(["env", "-i", "=x", "PATH=/usr/bin", *command, *cases[name].arguments], env=None)
        assert (done.returncode, done.stderr.count(b"\n")) == (cases[name].status, cases[name].status), done


def test_a_great_many_variables_take_no_time(binary: Path, cases: dict[str, Case]) -> None:
    environ = {f"SERVICE_{number}_PORT": "80" for number in range(30_000)}
    for name in ("healthy", "https"):  # two seconds of a core each
        assert start(["prlimit", "--cpu=2", str(binary), *cases[name].arguments], env=environ).returncode == 0


def address_space(pid: int) -> int:
    """The most address space that a process has used, in bytes."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmPeak:")]
    return int(line.split()[1]) * 1024


def test_32_mb_of_address_space_more_than_a_check_needs_are_enough(binary: Path, cases: dict[str, Case]) -> None:
    with waiting([str(binary)]) as check:
        limit = address_space(check.pid) + 32 * 1024 * 1024

    def limited(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
        return start(
            [str(binary), *arguments], preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        )

    assert_all_come_out_right(cases, limited)
