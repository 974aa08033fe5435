"""The programs that are compared: the executable and its competitors, each with its command for each path."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench.measure import PATIENCE, WORK, Command, MeasureError, compiled
from testing.project import ROOT

SOURCES = ROOT / "bench" / "sources"
TIMEOUT = 1  # seconds
AMPLE = 60  # seconds, for commands that are slow under valgrind

# One-liners that many Dockerfiles use.
NODE = (
    "require('{scheme}').get('{url}', {options}, r => process.exit(r.statusCode == 200 ? 0 : 1))"
    ".on('error', () => process.exit(1)).on('timeout', () => process.exit(1))"
)
URLLIB = "import ssl, urllib.request; urllib.request.urlopen('{url}', timeout={timeout}, context={context})"


class Targets(NamedTuple):
    """The servers that are checked, by their ports on 127.0.0.1."""

    healthy: int
    unhealthy: int  # answers 503
    refused: int
    silent: int  # reads the request and sends no response
    https: int
    authority: Path  # the certificate of the issuer of https's certificate


class Competitor(NamedTuple):
    """A program with its command for each path, or None for a path that it does not support."""

    name: str
    check: Callable[[int], list[str]]
    unhealthy: int  # exit code for 503
    refused: int
    timeout: Callable[[int], list[str]] | None = None
    timed_out: int = 1
    url: Callable[[str], list[str]] | None = None
    https: Callable[[str, Path], list[str]] | None = None  # trusts the certificates in the file
    insecure: Callable[[str], list[str]] | None = None
    untrusted: Callable[[str], Command] | None = None  # the system's store lacks the certificate's issuer
    help: list[str] | None = None
    mistake: Command | None = None

    def commands(self, targets: Targets) -> dict[str, Command]:
        """Return the commands by the name of their path."""
        https = f"https://127.0.0.1:{targets.https}/health"
        found = {
            "healthy": Command(self.check(targets.healthy)),
            "503": Command(self.check(targets.unhealthy), self.unhealthy),
            "refused": Command(self.check(targets.refused), self.refused),
        }
        if self.timeout:
            found["timeout"] = Command(self.timeout(targets.silent), self.timed_out)
        if self.url:
            found["URL"] = Command(self.url(f"http://127.0.0.1:{targets.healthy}/health"))
        if self.https:
            found["https"] = Command(self.https(https, targets.authority))
        if self.insecure:
            found["insecure"] = Command(self.insecure(https))
        if self.untrusted:
            found["untrusted"] = self.untrusted(https)
        if self.help:
            found["help"] = Command(self.help)
        if self.mistake:
            found["mistake"] = self.mistake
        return found


PATHS = ("healthy", "503", "refused", "timeout", "URL", "https", "insecure", "untrusted", "help", "mistake")


def ours(name: str, program: Path) -> Competitor:
    """Return this project's probe, built in some form."""
    return Competitor(
        name,
        check=lambda port: [str(program), f"-port={port}"],
        unhealthy=1,
        refused=1,
        timeout=lambda port: [str(program), f"-port={port}", f"-timeout={TIMEOUT}"],
        url=lambda url: [str(program), url],
        https=lambda url, authority: [str(program), url, f"--cacert={authority}", f"-timeout={AMPLE}"],
        insecure=lambda url: [str(program), url, "--insecure", f"-timeout={AMPLE}"],
        untrusted=lambda url: Command([str(program), url, f"-timeout={AMPLE}"], 1),
        help=[str(program), "--help"],
        mistake=Command([str(program), "--prt=80"], 1),
    )


def local(port: int) -> str:
    """Return the URL that all of them check."""
    return f"http://127.0.0.1:{port}/health"


def curl() -> Competitor:
    """Return curl, with the options that many images use."""
    program = found("curl")
    return Competitor(
        "curl -sf",
        check=lambda port: [program, "-sf", local(port)],
        unhealthy=22,
        refused=7,
        timeout=lambda port: [program, "-sf", "-m", str(TIMEOUT), local(port)],
        timed_out=28,
        url=lambda url: [program, "-sf", url],
        https=lambda url, authority: [program, "-sf", "--cacert", str(authority), url],
        insecure=lambda url: [program, "-sf", "--insecure", url],
        untrusted=lambda url: Command([program, "-sf", url], 60),
        help=[program, "--help"],
        mistake=Command([program, "--prt=80"], 2),
    )


def wget() -> Competitor:
    """Return GNU wget."""
    words = [found("wget"), "-q", "--spider", "--tries=1"]
    return Competitor(
        "wget --spider",
        check=lambda port: [*words, local(port)],
        unhealthy=8,
        refused=4,
        timeout=lambda port: [*words, f"--timeout={TIMEOUT}", local(port)],
        timed_out=4,
        url=lambda url: [*words, url],
        https=lambda url, authority: [*words, f"--ca-certificate={authority}", url],
        insecure=lambda url: [*words, "--no-check-certificate", url],
        untrusted=lambda url: Command([*words, url], 5),
        help=[words[0], "--help"],
        mistake=Command([words[0], "--prt=80"], 2),
    )


def busybox() -> Competitor:
    """Return busybox's wget. It verifies no certificate, and its -T crashes with SIGSEGV (1.35, Debian 12)."""
    words = [found("busybox"), "wget", "-q", "--spider"]
    return Competitor(
        "busybox wget",
        check=lambda port: [*words, local(port)],
        unhealthy=1,
        refused=1,
        url=lambda url: [*words, url],
        help=[*words[:2], "--help"],
        mistake=Command([*words[:2], "--prt=80"], 1),
    )


def urllib() -> Competitor:
    """Return Python's one-liner."""

    def words(url: str, timeout: int = AMPLE, context: str = "None") -> list[str]:
        return ["/usr/bin/python3", "-c", URLLIB.format(url=url, timeout=timeout, context=context)]

    return Competitor(
        "python3 -c",
        check=lambda port: words(local(port)),
        unhealthy=1,
        refused=1,
        timeout=lambda port: words(local(port), TIMEOUT),
        url=words,
        https=lambda url, authority: words(url, context=f"ssl.create_default_context(cafile='{authority}')"),
        insecure=lambda url: words(url, context="ssl._create_unverified_context()"),
        untrusted=lambda url: Command(words(url), 1),
    )


def node() -> Competitor:
    """Return Node's one-liner."""

    def words(url: str, options: str = "{}") -> list[str]:
        return [found("node"), "-e", NODE.format(scheme=url.partition(":")[0], url=url, options=options)]

    return Competitor(
        "node -e",
        check=lambda port: words(local(port)),
        unhealthy=1,
        refused=1,
        timeout=lambda port: words(local(port), f"{{timeout: {TIMEOUT * 1000}}}"),
        url=words,
        https=lambda url, authority: words(url, f"{{ca: require('fs').readFileSync('{authority}')}}"),
        insecure=lambda url: words(url, "{rejectUnauthorized: false}"),
        untrusted=lambda url: Command(words(url), 1),
    )


def go() -> Competitor:
    """Return a probe in Go that takes a port and has no timeout."""
    program = str(built_by_go("go-probe", SOURCES / "probe" / "main.go"))
    return Competitor(
        "Go",
        lambda port: [program, f"-port={port}"],
        unhealthy=1,
        refused=1,
        help=[program, "-h"],
        mistake=Command([program, "-prt=80"], 2),
    )


def c() -> Competitor:
    """Return the smallest possible probe, in C."""
    program = str(compiled("c-probe", SOURCES / "probe" / "main.c", compiler="musl-gcc"))
    return Competitor("C", lambda port: [program, str(port)], unhealthy=1, refused=1)


def unpacked(form: str) -> Path:
    """Build the probe with PyInstaller's own bootloader, in the form `onefile` or `onedir`."""
    folders = [f"--distpath={WORK}", f"--workpath={WORK / 'work'}", f"--specpath={WORK}"]
    options = [f"--{form}", f"--name={form}", "--log-level=ERROR", "--noconfirm", "--clean", *folders]
    pyinstaller = Path(sys.executable).parent / "pyinstaller"
    subprocess.run([str(pyinstaller), *options, str(ROOT / "probe" / "__main__.py")], check=True, timeout=600)
    return WORK / form if form == "onefile" else WORK / form / form


@cache
def built_by_go(name: str, source: Path) -> Path:
    """Build a static Go program of bench/sources with the libraries that Debian packages."""
    WORK.mkdir(parents=True, exist_ok=True)
    settings = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(WORK / "go"), "CGO_ENABLED": "0"}
    command = ["go", "build", "-o", str(WORK / name), str(source)]
    subprocess.run(command, check=True, env=os.environ | settings, timeout=5 * PATIENCE)
    return WORK / name


def found(name: str) -> str:
    """Return the path of a program of the system. Raises MeasureError."""
    if path := shutil.which(name, path="/usr/bin:/bin"):
        return path
    raise MeasureError(f"{name} is not installed; type: make packages")


def all_competitors(binary: Path) -> list[Competitor]:
    """List all competitors, the executable first."""
    one_file = ours("PyInstaller one-file", unpacked("onefile"))
    one_dir = ours("PyInstaller one-dir", unpacked("onedir"))
    return [ours("healthchecker", binary), curl(), wget(), busybox(), urllib(), node(), one_file, one_dir, go(), c()]
