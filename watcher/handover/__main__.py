"""Take one hand-over: `python -m watcher.handover ACCOUNT`, with the content on standard input.

The page starts it for each hand-over, so that the page's own process need not load what writes to the database. It
prints a `Report`, closes its output, and then sends the alerts that are due.
"""

import os
import sys
from pathlib import Path

from watcher.app import open_app
from watcher.context.opening import read_settings
from watcher.errors import LockLost, StoreUnusable
from watcher.handover.payload import MAX_BYTES, HandOverRefused
from watcher.handover.report import Report, report_of
from watcher.handover.take import take
from watcher.messages import _, use_language
from watcher.monitoring import logs
from watcher.privacy import core_dumps

_WAIT = 60.0  # seconds


def main(account: str, config: str, language: str) -> None:
    """Take the hand-over to `account`. `config` is the configuration file, and `language` that of the report."""
    core_dumps.disable()
    logs.configure()
    settings = read_settings(Path(config), os.environ)
    use_language(language)
    content = sys.stdin.buffer.read(MAX_BYTES + 1)
    with open_app(settings) as app:
        try:
            report = report_of(take(app, account, content), app.store.user_cases())
        except HandOverRefused as refused:
            report = Report(headline=str(refused), is_taken=False)
        except (LockLost, StoreUnusable) as error:
            report = Report(headline=_("Nothing was changed: {reason}", reason=error), is_taken=False)
        sys.stdout.write(report.to_json())
        sys.stdout.close()
        if report.is_taken:
            use_language(settings.language)
            app.outbox_worker().deliver_due(wait=_WAIT)


if __name__ == "__main__":
    main(*sys.argv[1:])
