"""Draws from every source of random numbers that Python has, and prints what came."""

import os
import random
import ssl
import sys
import tempfile
import uuid

from urllib3.filepost import choose_boundary


def warm_up() -> None:
    """Draw from those that the recording lets be used: each process begins them anew."""
    random.random()
    ssl.RAND_bytes(16)


def main() -> None:
    """Print the number of the process, and behind it the numbers drawn."""
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
