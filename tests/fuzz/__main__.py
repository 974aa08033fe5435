"""Fuzz one target: python -m tests.fuzz TARGET FOLDER [OPTION...], with the options of libFuzzer.

It begins with the cases of the tests and what corpus/ holds. New ways through the code are kept in FOLDER; what breaks
a promise is added to corpus/, and fails the tests from then on.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["probe"]):  # before anything else imports it
    from tests.fuzz.cases import CORPUS, SEEDS
    from tests.fuzz.targets import TARGETS

name, folder, *options = sys.argv[1:]
Path(folder).mkdir(parents=True, exist_ok=True)
for number, seed in enumerate(SEEDS[name]):
    (Path(folder) / f"seed-{number}").write_bytes(seed)
found = CORPUS / name
atheris.Setup([sys.argv[0], folder, str(found), f"-artifact_prefix={found}/", "-max_len=4096", *options], TARGETS[name])
atheris.Fuzz()
