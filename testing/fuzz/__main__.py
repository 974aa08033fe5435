"""Fuzz one target: python -m testing.fuzz TARGET FOLDER [OPTION...], with the options of libFuzzer.

Its first inputs are those of cases.py. FOLDER collects inputs that reach new code. An input that breaks a promise ends
the run, and is written to a file beside FOLDER.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["probe"]):  # before anything else imports it
    from testing.fuzz.cases import SEEDS, found
    from testing.fuzz.targets import TARGETS

name, folder, *options = sys.argv[1:]
Path(folder).mkdir(parents=True, exist_ok=True)
for number, seed in enumerate([*SEEDS[name], *found(name)]):
    (Path(folder) / f"seed-{number}").write_bytes(seed)
atheris.Setup([sys.argv[0], folder, f"-artifact_prefix={folder}-", "-max_len=4096", *options], TARGETS[name])
atheris.Fuzz()
