"""`python -m include.quality build [--check]`: generate the files that follow from the rules of the gates, or check them for drift."""

from __future__ import annotations

import argparse
import sys

from include.quality.builder import build
from include.quality.rules import GateError


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m include.quality", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("build", help="generate great_expectations/ from the rules; needs no warehouse")
    command.add_argument("--check", action="store_true", help="change nothing, fail if anything would change")
    check: bool = parser.parse_args(arguments).check
    try:
        changed = build(check=check)
    except GateError as error:
        print(error, file=sys.stderr)
        return 1
    for path in changed:
        print(
            f"{path} differs from the rules: run `make generate` and commit it." if check else f"{path} was written: commit it."
        )
    if not changed:
        print("great_expectations/great_expectations.yml is up to date.")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
