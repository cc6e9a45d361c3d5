"""`python -m tests.daemon.quick_daemon OPTIONS [MODULE]`: the supervisor with short waits, and the worker in MODULE."""

import sys

from watcher.daemon.__main__ import main
from watcher.daemon.options import Pace
from watcher.daemon.worker_process import MODULE

PACE = Pace(
    tick=0.2,
    idle=0.3,
    linger=1.0,
    first_delay=0.1,
    max_delay=1.0,
    sign_of_life=0.5,
    patience=10.0,
    page_idle=2.0,
    page_patience=12.0,
    mail_poll=0.2,
)

if __name__ == "__main__":
    main(pace=PACE, module=sys.argv[2] if len(sys.argv) > 2 else MODULE)
