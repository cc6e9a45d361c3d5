"""What the supervisor is told: the options of `watcher run`, and how long it and its workers wait."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

_MIN_INTERVAL = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of `watcher run`. `command` is what to type for this program, for messages."""

    config: str | None = None
    log_level: str = "info"
    log_format: Literal["console", "json"] = "console"
    command: str = "watcher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long the supervisor and its workers wait, in real seconds.

    `tick`: between two looks at the database at rest. `idle`: without work, after which a worker ends. `linger`: if a
    worker is needed again within this time, it waits instead, because a start takes more than waiting. `start`: in
    which a worker must be ready. `stop`: in which it must end. `first_delay` to `max_delay`: before the start that
    follows a failed one. `sign_of_life`: between those of a worker. `patience`: without one, until it is killed.
    `page_idle`: without a request, after which the page's process ends. `page_patience`: without a sign of life, until
    it is killed. `page_grace`: for its requests when it is asked to end. `page_stop`: in which it must have ended.
    `mail_patience`: without a sign of life of the process that waits for official mails, until it is killed.
    `mail_poll`: between two looks into a mailbox whose server does not announce mails.
    """

    tick: float = 15.0
    idle: float = 15.0
    linger: float = 600.0
    start: float = 300.0
    stop: float = 28.0
    first_delay: float = 1.0
    max_delay: float = 300.0
    sign_of_life: float = 30.0
    patience: float = 120.0
    page_idle: float = 600.0
    page_patience: float = 60.0
    page_grace: float = 3.0
    page_stop: float = 6.0
    mail_patience: float = 1800.0
    mail_poll: float = 300.0

    def with_watchdog(self, watchdog: timedelta | None) -> "Pace":
        """Return the pace with which at most a third of the watchdog's time passes between two notifications."""
        if watchdog is None:
            return self
        third = max(watchdog.total_seconds() / 3, _MIN_INTERVAL)
        return replace(self, tick=min(self.tick, third), sign_of_life=min(self.sign_of_life, third))
