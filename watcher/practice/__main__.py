"""`python -m watcher.practice`: the practice portal alone, for people who write adapters and recipes."""

import argparse
import contextlib
import signal
import sys
from datetime import UTC, datetime
from threading import Event

from watcher.clock import Clock, FastClock, SystemClock
from watcher.practice.portal import PracticePortal
from watcher.practice.state.terms import Account
from watcher.practice.story import ADJUSTMENT_OF_STATUS


def main() -> int:
    """Print how to sign in, and serve until interrupted."""
    options = _options()
    clock: Clock = FastClock(datetime.now(UTC), options.speed) if options.speed != 1 else SystemClock()
    account = Account(totp_secret=None) if options.no_totp else Account()
    portal = PracticePortal(clock, story=ADJUSTMENT_OF_STATUS, account=account, tls=not options.http, port=options.port)
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with portal:
        sys.stdout.write(_introduction(portal, http=options.http))
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            stop.wait()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m watcher.practice", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="the port to listen on; default: a free one")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="how many seconds of the story pass in one real second"
    )
    parser.add_argument("--http", action="store_true", help="use plain HTTP, without a certificate")
    parser.add_argument("--no-totp", action="store_true", help="do not ask for a one-time code")
    return parser.parse_args()


def _introduction(portal: PracticePortal, *, http: bool) -> str:
    account = portal.account
    lines = [
        f"The practice portal runs at {portal.base_url}. Press Ctrl-C to stop it.",
        f"  CA file         {'none' if http else portal.ca_file}",
        f"  user name       {account.username}",
        f"  password        {account.password}",
        f"  TOTP secret     {account.totp_secret or 'none'}",
        f"  client id       {account.client_id}",
        f"  client secret   {account.client_secret}",
        f"  cases           {', '.join(record.number for record in portal.cases.records())}",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
