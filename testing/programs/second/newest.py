"""Print the newest version of a JSON list."""

import json
import sys
from typing import TextIO

import click
from packaging.version import Version


@click.command()
@click.argument("file", type=click.File())
def main(file: TextIO) -> None:
    """Print the newest of the versions in FILE."""
    click.echo(max(json.load(file), key=Version))


if __name__ == "__main__":
    sys.exit(main())
