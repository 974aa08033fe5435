"""Measure everything, and write the results to docs/bench/: `make bench`.

python -m bench BINARY
"""

import json
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bench import checks, containers, plots, report, services
from bench.competitors import Competitor, all_competitors, found
from bench.measure import MeasureError, Meter
from tools.docker_engine import EngineError, docker, require

IN_DOCKER = ("healthchecker", "curl -sf", "wget --spider", "PyInstaller one-file", "Go")
GROWING = (containers.FLOOR, "healthchecker", "curl -sf", "PyInstaller one-file")

Result = TypeVar("Result")


def machine() -> dict[str, str]:
    """Describe the machine and the versions of the programs."""
    processors = Path("/proc/cpuinfo").read_text()
    memory = re.search(r"MemTotal:\s*(\d+) kB", Path("/proc/meminfo").read_text())
    system = platform.freedesktop_os_release()
    return {
        "processor": f"{processors.count('processor	:')} x {first(r'model name.*: (.*)', processors)}",
        "memory": f"{int(memory[1]) / 2**20:.0f} GiB" if memory else "",
        "system": f"{system['PRETTY_NAME']}, Linux {platform.release()}",
        "Python": platform.python_version(),
        "Docker": docker("version", "--format={{.Server.Version}}"),
        "curl": first("curl ([0-9.]+)", said([found("curl"), "--version"])),
        "wget": first("Wget ([0-9.]+)", said([found("wget"), "--version"])),
        "busybox": first("BusyBox v([0-9.]+)", said([found("busybox")])),
        "node": first("v([0-9.]+)", said([found("node"), "--version"])),
        "Go": first("go([0-9.]+)", said(["go", "version"])),
        "PyInstaller": said([str(Path(sys.executable).parent / "pyinstaller"), "--version"]).strip(),
    }


def said(words: list[str]) -> str:
    """Return what a command prints."""
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False).stdout


def first(pattern: str, text: str) -> str:
    """Return the first group of the first match, or `unknown`."""
    match = re.search(pattern, text)
    return match[1] if match else "unknown"


def measured(competitors: list[Competitor]) -> dict[str, object]:
    """Measure all sections of the report. Raises EngineError and MeasureError."""
    results: dict[str, object] = {"machine": machine(), "date": time.strftime("%Y-%m-%d")}
    meter = Meter()
    # The service comes first: the engine stays busy for a while after containers end.
    results["loads"], results["memory"] = step("the service", services.loads)
    results["starts"] = step("its start", services.starts)
    results["images"] = step("its image", services.image_sizes)
    with checks.targets() as targets:
        results["checks"] = step("checks", lambda: checks.compare(competitors, targets, meter))
        results["instructions"] = step("instructions", lambda: checks.counted(competitors, targets))
        results["footprint"] = step("footprint", lambda: checks.footprints(competitors, targets))
        dockered = [competitor for competitor in competitors if competitor.name in IN_DOCKER]
        images = step("images", lambda: containers.prepare(dockered, targets.healthy))
        results["durations"] = step("in Docker", lambda: containers.durations(images))
        growing = {name: images[name] for name in GROWING}
        results["growth"] = step("many containers", lambda: containers.growth(growing))
    return results


def plain(value: object) -> object:
    """Replace named tuples by dictionaries: JSON would drop their names."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    return float(f"{value:.6g}") if isinstance(value, float) else value


def step(what: str, measure: Callable[[], Result]) -> Result:
    """Measure something, and print how long it took."""
    started = time.monotonic()
    result = measure()
    print(f"{what}: {time.monotonic() - started:.0f} s", flush=True)
    return result


def main() -> None:
    """Measure and write."""
    try:
        require()
        results = measured(all_competitors(Path(sys.argv[1]).resolve()))
    except (EngineError, MeasureError) as error:
        sys.exit(f"bench: {error}")
    report.RESULTS.parent.mkdir(parents=True, exist_ok=True)
    report.RESULTS.write_text(json.dumps(plain(results), indent=1) + "\n")
    report.REPORT.write_text(report.text())
    plots.write()


if __name__ == "__main__":
    main()
