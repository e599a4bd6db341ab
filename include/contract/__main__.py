"""`python -m include.contract [--check]`: writes `docs/contract.md`, or says whether it is out of date."""

from __future__ import annotations

import argparse
import sys

from include.contract.page import CONTRACT, render


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m include.contract", description="Generate docs/contract.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is out of date")
    check: bool = parser.parse_args(arguments).check
    content = render()
    if not check:
        CONTRACT.write_text(content, encoding="utf-8")
        print(f"{CONTRACT} is written.")
    elif not CONTRACT.exists() or CONTRACT.read_text(encoding="utf-8") != content:
        print(f"{CONTRACT} is out of date: run `make generate` and commit it.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
