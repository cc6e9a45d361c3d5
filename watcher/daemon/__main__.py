"""The program that `watcher run` executes: `python -m watcher.daemon OPTIONS`, with the options as a JSON object.

It is a program of its own so that the memory of the command line's libraries is not kept.
"""

import json
import logging
import os
import sys

from watcher.clock import Clock, SystemClock
from watcher.daemon.options import Options, Pace
from watcher.daemon.page import PAGE_MODULE
from watcher.daemon.sd_notify import ServiceManager
from watcher.daemon.supervisor import UPGRADED, Supervisor
from watcher.daemon.worker_process import MODULE
from watcher.messages import use_environment_language
from watcher.monitoring import plain_logs


def main(
    clock: Clock | None = None, *, pace: Pace | None = None, module: str = MODULE, page_module: str = PAGE_MODULE
) -> None:
    """Supervise until the end. `clock`, `pace`, the worker's `module`, and the page's replace the usual ones."""
    options = Options(**json.loads(sys.argv[1]))
    use_environment_language()
    plain_logs.configure(level=options.log_level, log_format=options.log_format)
    manager = ServiceManager.from_environ(os.environ)
    clock = clock or SystemClock()
    supervisor = Supervisor(options, clock=clock, manager=manager, pace=pace, module=module, page_module=page_module)
    status = supervisor.run()
    logging.shutdown()
    if status == UPGRADED:
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - the same process goes on, there is no shell
    os._exit(status)  # without closing a lost database


if __name__ == "__main__":
    main()
