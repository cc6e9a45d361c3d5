"""Scheduled jobs. The only module that uses APScheduler.

The scheduler stores nothing: the times of the next checks are in the database, and jobs are created from them at every
start. It runs on real time; the times of a faster `Clock` are converted here.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Condition, Event, Lock

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

from watcher.clock import Clock
from watcher.errors import WatcherError

# Regular jobs have their own threads, so that slow checks do not delay them.
_REGULAR = "regular"
_log = structlog.get_logger(__name__)


class _Scheduler(BackgroundScheduler):  # type: ignore[misc]  # APScheduler has no types
    """APScheduler, except that removing an unknown job is no error.

    Its own thread removes finished jobs; during shutdown they are already gone, and the thread would end with a
    traceback.
    """

    def remove_job(self, job_id: str, jobstore: str | None = None) -> None:
        """Remove the job if it exists."""
        try:
            super().remove_job(job_id, jobstore)
        except JobLookupError:
            _log.debug("job_not_found", job=job_id)


class Schedule:
    """Jobs that run in pools of threads at given times."""

    def __init__(self, clock: Clock, *, threads: int) -> None:
        """Start nothing yet. At most `threads` jobs run at once, apart from regular ones."""
        self._clock = clock
        self._lock = Lock()
        self._scheduler = _Scheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(threads), _REGULAR: ThreadPoolExecutor(4)},
            # A late job (the machine slept, a slow start) still runs, once. The end of one run may overlap the next.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 2},
        )
        self._scheduler.add_listener(_log_event, EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)
        self._stopped = Event()
        self._running, self._all_done = 0, Condition()

    def start(self) -> None:
        """Start. Overdue jobs run at once."""
        self._scheduler.start()

    def at(self, name: str, moment: datetime, work: Callable[[], datetime | None]) -> None:
        """Run `work` at `moment` (of the clock), then at each time that it returns, until it returns None.

        Replaces a job of the same name. If `work` raises, it runs again after a minute.
        """
        self._add(name, moment, work, "default")

    def _add(self, name: str, moment: datetime, work: Callable[[], datetime | None], pool: str) -> None:
        delay = max(0.0, self._clock.seconds_until(moment))
        run_at = datetime.now(UTC) + timedelta(seconds=delay)
        with self._lock:
            if not self._stopped.is_set():
                self._scheduler.add_job(
                    self._run,
                    DateTrigger(run_date=run_at),
                    args=(name, work, pool),
                    id=name,
                    executor=pool,
                    replace_existing=True,
                )

    def every(self, name: str, span: timedelta, work: Callable[[], None], *, first: datetime | None = None) -> None:
        """Run `work` at `first` (of the clock; None: now) and then every `span`. Replaces a job of the same name."""

        def once() -> datetime:
            work()
            return self._clock.now() + span

        self._add(name, first or self._clock.now(), once, _REGULAR)

    def cancel(self, name: str) -> None:
        """Remove a job. One that is running finishes."""
        with self._lock:
            self._scheduler.remove_job(name)

    def stop(self) -> None:
        """Start no more jobs. Does not wait for running ones, which watch the daemon's own `stop`."""
        with self._lock:
            self._stopped.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def join(self, seconds: float) -> None:
        """Wait up to this many real seconds until no job runs, except regular ones."""
        with self._all_done:
            self._all_done.wait_for(lambda: not self._running, seconds)

    def is_busy(self) -> bool:
        """Return whether a job runs, except regular ones."""
        return self._running > 0

    def _run(self, name: str, work: Callable[[], datetime | None], pool: str) -> None:
        next_run: datetime | None = self._clock.now() + timedelta(minutes=1)
        counts = int(pool != _REGULAR)
        with self._all_done:
            self._running += counts
        try:
            next_run = work()
        except WatcherError as error:
            _log.error("job_failed", job=name, error=type(error).__name__, reason=str(error))
        finally:
            with self._all_done:
                self._running -= counts
                self._all_done.notify_all()
            if next_run is not None:
                self._add(name, next_run, work, pool)


def _log_event(event: JobExecutionEvent) -> None:
    exception = getattr(event, "exception", None)
    if exception is None:
        _log.warning("job_still_running", job=event.job_id)
    else:
        _log.error("job_failed", job=event.job_id, error=type(exception).__name__, reason=str(exception))
