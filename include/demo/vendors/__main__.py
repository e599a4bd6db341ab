"""Command line of the vendors' servers: `python -m include.demo.vendors --help`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from include.demo.clock import parse_as_of
from include.demo.connections import HOST
from include.demo.serve import listen, run_until_signal
from include.demo.vendors import VENDORS, vendor_app
from include.demo.vendors.common import Faults, account


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. The exit code is 0, or 2 for invalid input, with the reason on stderr."""
    options = _parser().parse_args(arguments)
    try:
        held = account(options.scale, options.seed, parse_as_of(options.as_of), options.organization, options.second)
        app = vendor_app(options.vendor, held, Faults(minute=options.minute), control=options.faults)
        with listen(options.port, options.vendor, "--port") as listener:
            address = f"http://{HOST}:{listener.getsockname()[1]}"
            asyncio.run(run_until_signal([(app, listener)], lambda: print(f"{options.vendor}: {address}", flush=True)))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.demo.vendors",
        description="A local server that behaves like a vendor's API and holds one organization of the demo company.",
    )
    parser.add_argument("vendor", choices=VENDORS)
    parser.add_argument("--port", type=int, default=0, help="default: any free port, which is printed")
    parser.add_argument("--organization", metavar="ID", help="organization_id of the account (default: the first organization)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the company (default 1)")
    parser.add_argument("--seed", type=int, default=42, help="seed of the company (default 42)")
    parser.add_argument("--as-of", metavar="DATE", help="only data known before 00:00 UTC of this day (default today)")
    parser.add_argument(
        "--second", action="store_true", help="the state of the next day: changed, deleted, merged, restored objects"
    )
    parser.add_argument(
        "--minute", type=float, default=60, metavar="SECONDS", help="length of a minute in limits per minute (default 60)"
    )
    parser.add_argument("--faults", action="store_true", help="for tests: add the endpoint /_faults, which orders errors")
    return parser


if __name__ == "__main__":
    sys.exit(main())
