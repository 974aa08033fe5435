"""Draw the plots of docs/bench/ from docs/bench/results.json."""

import json
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from bench.report import FOLDER, OURS, RESULTS, SERVICE, STEPS

COLOURS = {
    OURS: "#0b7a4b",
    SERVICE: "#0b7a4b",
    "curl -sf": "#3b6fb6",
    "PyInstaller one-file": "#c2522d",
    "Go": "#3f9fb5",
    "/bin/true": "#8a8a8a",
}
OTHERS = "#b8b8b8"


def write() -> None:
    """Write all plots. The same results give the same bytes."""
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "healthchecker", "font.family": "sans-serif"})
    found: dict[str, Any] = json.loads(RESULTS.read_text())
    for name, figure in {
        "check": check(found["checks"]["healthy"]),
        "paths": paths(found["checks"]),
        "growth": growth(found["growth"]),
        "service": service(found["loads"]),
        "steps": steps(json.loads(STEPS.read_text())["steps"]),
    }.items():
        figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight", facecolor="white")


def check(costs: dict[str, Any]) -> Figure:
    """Plot a healthy check by each competitor: bars on a log axis."""
    medians = {name: 1000 * cost["wall"]["median"] for name, cost in costs.items()}
    names = sorted(medians, key=lambda name: -medians[name])
    return bars({name: medians[name] for name in names}, [COLOURS.get(name, OTHERS) for name in names])


def steps(costs: dict[str, Any]) -> Figure:
    """Plot a healthy check at each step, the first one on top: bars on a log axis."""
    medians = {name: 1000 * cost["wall"]["median"] for name, cost in reversed(costs.items())}
    return bars(medians, [COLOURS[OURS], *[OTHERS] * (len(medians) - 1)])


def bars(medians: dict[str, float], colours: list[str]) -> Figure:
    """Plot milliseconds as horizontal bars, the first one at the bottom."""
    figure = Figure(figsize=(8, 0.42 * len(medians) + 0.9))
    axes = figure.subplots()
    drawn = axes.barh(list(medians), list(medians.values()), color=colours)
    labels = [f"{median:.2g} ms" if median < 10 else f"{median:.0f} ms" for median in medians.values()]
    axes.bar_label(drawn, labels, padding=3)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlim(min(medians.values()) / 3, max(medians.values()) * 3)
    axes.set_xlabel("wall-clock time of a healthy check, ms, on a log scale")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def paths(checks: dict[str, Any]) -> Figure:
    """Plot each path of the executable, curl and the one-file program: bars on a log axis."""
    competitors = [OURS, "curl -sf", "PyInstaller one-file"]
    figure = Figure(figsize=(9, 3.2))
    axes = figure.subplots()
    for index, name in enumerate(competitors):
        medians = [1000 * costs[name]["wall"]["median"] for costs in checks.values()]
        places = [place + (index - 1) * 0.27 for place in range(len(checks))]
        axes.bar(places, medians, 0.25, label=name, color=COLOURS[name])
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xticks(range(len(checks)), list(checks), fontsize=9)
    axes.set_ylabel("wall-clock time, ms, log scale")
    axes.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.2))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def growth(found: dict[str, Any]) -> Figure:
    """Plot the cost of many containers: processor cores in use, and the CPU time of each check."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    cores, each = figure.subplots(ncols=2)
    for name, costs in found.items():
        numbers = [int(number) for number in costs]
        cores.plot(numbers, [cost["cores"] for cost in costs.values()], marker="o", label=name, color=COLOURS[name])
        milliseconds = [1000 * cost["cores"] / cost["checks"] for cost in costs.values()]
        each.plot(numbers, milliseconds, marker="o", color=COLOURS[name])
    for axes, what in ((cores, "processor cores in use, log scale"), (each, "CPU time per check, ms, log scale")):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(numbers, [str(number) for number in numbers])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("containers with a check per second")
        axes.set_ylabel(what)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, ncols=4, loc="outside upper center")
    return figure


def service(loads: dict[str, Any]) -> Figure:
    """Plot requests per second by route and number of connections."""
    figure = Figure(figsize=(8, 3.2))
    groups = [(route, number) for route, numbers in loads.items() for number in numbers]
    axes = figure.subplots()
    for index, name in enumerate((SERVICE, "Go")):
        medians = [loads[route][number][name]["requests"]["median"] / 1000 for route, number in groups]
        places = [place + (index - 0.5) * 0.4 for place in range(len(groups))]
        bars = axes.bar(places, medians, 0.38, label=name, color=COLOURS[name])
        axes.bar_label(bars, [f"{median:.0f}" for median in medians], fontsize=8)
    axes.set_xticks(range(len(groups)), [f"{route}\n{number} at once" for route, number in groups], fontsize=8)
    axes.set_ylabel("thousand requests per second")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
