"""Print a number from each source of random numbers that Python has."""

import os
import random
import ssl
import sys
import tempfile
import uuid

from urllib3.filepost import choose_boundary


def warm_up() -> None:
    """Use those sources that the recording allows: each process seeds them anew."""
    random.random()
    ssl.RAND_bytes(16)


def main() -> None:
    """Print the process ID and the numbers."""
    drawn = (
        random.random(),
        random.getrandbits(64),
        random.SystemRandom().getrandbits(64),
        random.Random().getrandbits(64),
        uuid.uuid4(),
        uuid.uuid1(),
        os.urandom(16).hex(),
        ssl.RAND_bytes(16).hex(),
        choose_boundary(),
        tempfile.mktemp(),  # only a name
    )
    sys.stdout.write(f"{os.getpid()} {' '.join(map(str, drawn))}\n")
