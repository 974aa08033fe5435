"""Write docs/bench/README.md from docs/bench/results.json. With --check, compare them only."""

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from bench.containers import WINDOW
from testing.project import ROOT

FOLDER = ROOT / "docs" / "bench"
RESULTS = FOLDER / "results.json"
STEPS = FOLDER / "steps.json"
REPORT = FOLDER / "README.md"
OURS = "healthchecker"
SERVICE = "accountservice"

Figures = dict[str, Any]


def text() -> str:
    """Return the report of the recorded results."""
    found: Figures = json.loads(RESULTS.read_text())
    parts = [
        "# Side by side",
        "`make bench` writes this page, [results.json](results.json) and the plots; do not edit them. The"
        " [notes](notes.md) say what was tried. A figure with a range is a median with its quartiles, of runs in turn."
        " *Italics* mark what is better than this project: single figures or whole programs in the probe's tables,"
        " rows in the service's tables.",
        "Measured on " + found["date"] + ":",
        table(["", ""], [[name, value] for name, value in found["machine"].items()]),
        *one_check(found),
        *the_steps(json.loads(STEPS.read_text())),
        *in_docker(found),
        *the_service(found),
    ]
    return "\n\n".join(parts) + "\n"


def one_check(found: Figures) -> list[str]:
    """Report the probe, run by hand."""
    healthy = found["checks"]["healthy"]
    counted = found["instructions"]["healthy"]
    best = healthy[OURS]["wall"]["median"]
    kinds = [
        [
            name,
            spread(costs["wall"], milliseconds),
            f"{costs['wall']['median'] / best:.2f}",
            spread(costs["cpu"], milliseconds),
            f"{counted[name] / 1e6:,.2f}",
            megabytes(costs["memory"]["median"]),
            f"{costs['faults']['median'] - found['footprint'][name]['populated']:,.0f}",
        ]
        for name, costs in healthy.items()
    ]
    wall = {path: {name: cost["wall"] for name, cost in costs.items()} for path, costs in found["checks"].items()}
    processor = {path: {name: cost["cpu"] for name, cost in costs.items()} for path, costs in found["checks"].items()}
    needs = [
        [
            name,
            megabytes(left["bytes"]),
            f"{left['files']}",
            megabytes(left["written"]),
            f"{left['processes']}",
            f"{left['left_files']} files, {megabytes(left['left_bytes'])} MB" if left["left_files"] else "",
            f"{left['left_processes']}" if left["left_processes"] else "",
        ]
        for name, left in found["footprint"].items()
    ]
    ahead = {name for name, costs in healthy.items() if costs["wall"]["median"] < best}
    smaller = {name for name, left in found["footprint"].items() if left["bytes"] < found["footprint"][OURS]["bytes"]}
    return [
        "## One check",
        "![Time of a healthy check](check.svg)",
        f"A healthy check, of the account service on the same machine, {healthy[OURS]['wall']['number']} times each."
        " valgrind counts the instructions outside the kernel. Memory is the peak of the largest process, in steps of"
        " the kernel that are too large for the smallest. Page faults are those that interrupt the process. Pages that"
        " a process asks for at once, by MADV_POPULATE_WRITE, do not count.",
        table(
            ["", "wall, ms", "of ours", "CPU, ms", "instructions, M", "memory, MB", "page faults"],
            italics(kinds, ahead),
        ),
        "![Time by path](paths.svg)",
        "`python3 -c` and `node -e` are one-liners that many Dockerfiles use. Go and C are a few lines"
        " ([bench/sources](../../bench/sources)) that take a port and have no timeout. wget sends HEAD first; with"
        " https it mostly waits, as its CPU time shows. busybox's `-T` crashes with SIGSEGV (1.35).",
        "The paths: `healthy`, `503` and `refused` take a port; `timeout` is 1 s; `URL` takes a URL. Three use https:"
        " `https` trusts the certificates in a file (`--cacert`), `insecure` any certificate (`--insecure`), and"
        " `untrusted` those of the system. The system lacks the issuer, so that this check fails. `mistake` has a"
        " misspelt option.",
        "Wall-clock milliseconds by path. A cell is empty if the program does not support the path.",
        by_path(wall, lambda cost: cost["median"], lambda cost: spread(cost, milliseconds)),
        "CPU milliseconds by path:",
        by_path(processor, lambda cost: cost["median"], lambda cost: spread(cost, milliseconds)),
        "Million instructions by path:",
        by_path(found["instructions"], float, lambda number: f"{number / 1e6:,.2f}"),
        "What a healthy check uses and leaves behind: the files of the program, with all libraries and modules that it"
        " reads; the bytes that it writes to files; the processes that it starts; and what is left after `SIGKILL`"
        " while it waits for its response.",
        table(["", "MB", "files", "MB written", "processes", "left behind", "left running"], italics(needs, smaller)),
        "Programs that take less time, by path: " + "; ".join(behind(found["checks"])) + ".",
    ]


def by_path(paths: Figures, figure: Callable[[Any], float], form: Callable[[Any], str]) -> str:
    """Return a table of the figures by path, with those that are better than ours in italics."""
    names = list(paths["healthy"])
    rows = []
    for path, costs in paths.items():
        ahead = {name for name, cost in costs.items() if figure(cost) < figure(costs[OURS])}
        cells = italics([[name, form(costs[name])] if name in costs else ["", ""] for name in names], ahead)
        rows.append([path, *(cell for _, cell in cells)])
    return table(["", *names], rows)


def behind(checks: Figures) -> Iterable[str]:
    """List for each path the programs that take less time."""
    for path, costs in checks.items():
        best = costs[OURS]["wall"]["median"]
        ahead = sorted((costs[name]["wall"]["median"] / best, name) for name in costs)
        names = [f"{name} ({ratio:.2f} of our time)" for ratio, name in ahead if ratio < 1]
        yield f"{path}: " + (", ".join(names) or "none")


def the_steps(found: Figures) -> list[str]:
    """Report the steps from PyInstaller's one-file program to the executable of today."""
    rows = [
        [name, spread(cost["wall"], milliseconds), f"{cost['instructions'] / 1e6:,.2f}", f"{cost['faults']:,.0f}"]
        for name, cost in found["steps"].items()
    ]
    return [
        "## Step by step",
        "![Time of a healthy check, step by step](steps.svg)",
        f"A healthy check by the probe as it was built at each step, measured in one run on {found['date']}."
        " [The notes](notes.md) say what each step is, and what else was tried.",
        table(["", "wall, ms", "instructions, M", "page faults"], rows),
    ]


def in_docker(found: Figures) -> list[str]:
    """Report the probe, run by the engine."""
    floor = found["durations"]["/bin/true"]["median"]
    durations = [
        [name, spread(duration, milliseconds), f"{duration['median'] / floor:.2f}"]
        for name, duration in found["durations"].items()
    ]
    numbers = list(next(iter(found["growth"].values())))
    growth = [
        [
            name,
            *(f"{costs[number]['cores']:.2f}" for number in numbers),
            *(f"{costs[number]['checks']:.1f}" for number in numbers),
            f"{1000 * costs[numbers[-1]]['cores'] / costs[numbers[-1]]['checks']:.1f}",
        ]
        for name, costs in found["growth"].items()
    ]
    return [
        "## In Docker",
        "The duration of a check by the engine's record (`.State.Health.Log`), in containers of Debian 13, with its"
        " curl and wget. Most of it is the engine's own time, as `/bin/true` shows.",
        table(["", "ms", "of /bin/true"], durations),
        "![Cost of many containers](growth.svg)",
        f"The cost of {', '.join(numbers)} containers with a check per second, in one run of {WINDOW:g} s each:"
        " processor cores in use, less those of the machine at rest. The engine counts the second from the end of the"
        " previous check. It makes fewer checks if they take long or if the cores do not suffice.",
        table(
            [
                "",
                *(f"cores, {n}" for n in numbers),
                *(f"checks/s, {n}" for n in numbers),
                f"CPU ms/check, {numbers[-1]}",
            ],
            growth,
        ),
    ]


def the_service(found: Figures) -> list[str]:
    """What is checked."""
    rows = []
    for route, by_connections in found["loads"].items():
        for connections, services in by_connections.items():
            ours, theirs = services[SERVICE], services["Go"]
            ratio = ours["requests"]["median"] / theirs["requests"]["median"]
            row = [
                route,
                connections,
                spread(ours["requests"], count),
                spread(theirs["requests"], count),
                f"{ratio:.2f}",
            ]
            row += [
                f"{milliseconds(ours[figure]['median'])} / {milliseconds(theirs[figure]['median'])}"
                for figure in ("p50", "p99", "p999")
            ]
            loses = ratio < 1 or ours["p99"]["median"] > theirs["p99"]["median"]
            rows.append(italics([row], {route} if loses else set())[0])
    starts, memory, images = found["starts"], found["memory"], found["images"]
    beside = [
        ["start to first healthy answer, ms", *(spread(starts[name], milliseconds) for name in (SERVICE, "Go"))],
        ["memory of all processes, MB", *(megabytes(memory[name]) for name in (SERVICE, "Go"))],
        ["image, MB", *(megabytes(images[name]) for name in (SERVICE, "Go"))],
    ]
    return [
        "## The service",
        "![Requests per second](service.svg)",
        "The account service and one in Go, gorilla/mux over bbolt, that sends the same responses. The service has one"
        " processor core and so one worker, and wrk has another core. `/health` is not the same work: Go's only"
        " responds, ours looks at the store's file and reads an account, and once a second all. With one connection"
        " both wait for the kernel to wake them. Latencies are accountservice's / Go's.",
        table(
            ["", "connections", f"{SERVICE}, requests/s", "Go, requests/s", "ratio", "p50, ms", "p99, ms", "p99.9, ms"],
            rows,
        ),
        table(["", SERVICE, "Go"], italics(beside, {row[0] for row in beside if lost(found, row[0])})),
        "Go's image contains only the program. With more cores, Go uses them by threads, and the account service by up"
        " to four workers.",
    ]


def lost(found: Figures, what: str) -> bool:
    """Whether Go is ahead in this."""
    of = {"start": "starts", "memory": "memory", "image": "images"}[what.split(maxsplit=1)[0].rstrip(",")]
    figures = {name: value["median"] if of == "starts" else value for name, value in found[of].items()}
    return bool(figures["Go"] < figures[SERVICE])


def italics(rows: list[list[str]], names: set[str]) -> list[list[str]]:
    """Return the rows, with those of these names in italics."""
    return [[f"*{cell}*" if cell and row[0] in names else cell for cell in row] for row in rows]


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table with the figures aligned to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def spread(figure: Figures, form: Callable[[float], str]) -> str:
    """Format a median with its quartiles."""
    return f"{form(figure['median'])} ({form(figure['low'])} to {form(figure['high'])})"


def milliseconds(seconds: float) -> str:
    """Format milliseconds with the digits that matter."""
    return f"{seconds * 1000:,.{2 if seconds < 0.1 else 0}f}"


def megabytes(size: float) -> str:
    """Format megabytes with the digits that matter."""
    return f"{size / 1e6:,.{1 if size >= 1e6 or size == 0 else 2}f}"


def count(number: float) -> str:
    """Format a whole number."""
    return f"{number:,.0f}"


def main() -> None:
    """Write the report, or compare it."""
    if "--check" not in sys.argv[1:]:
        REPORT.write_text(text())
    elif REPORT.read_text() != text():
        sys.exit("docs/bench/README.md is not that of docs/bench/results.json; type: make bench")


if __name__ == "__main__":
    main()
