"""When things are done: the only door to APScheduler.

Nothing is kept in the scheduler: turns stand in the database, and jobs are made anew from them at every start. The
scheduler runs on real time; a `Clock` that runs faster is translated here.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Lock

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

from watcher.clock import Clock
from watcher.errors import WatcherError

# What comes round by itself has threads of its own: reads that take long, however many, do not hold it back.
_REGULAR = "regular"
_log = structlog.get_logger(__name__)


class _Scheduler(BackgroundScheduler):  # type: ignore[misc]  # APScheduler has no types
    """APScheduler, but that a job which is not there may be removed.

    Its own thread removes a job whose turn is over; once the scheduler is told to end it finds none, and would end with
    a traceback.
    """

    def remove_job(self, job_id: str, jobstore: str | None = None) -> None:
        """Removes the job, where there is one."""
        try:
            super().remove_job(job_id, jobstore)
        except JobLookupError:
            _log.debug("no such job to remove", job=job_id)


class Schedule:
    """Runs jobs at their moments, each in a pool of threads, at most two turns of one job meeting at their ends."""

    def __init__(self, clock: Clock, *, threads: int) -> None:
        """Nothing runs before `start`. At most `threads` jobs run at once."""
        self._clock = clock
        self._turns = Lock()
        self._scheduler = _Scheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(threads), _REGULAR: ThreadPoolExecutor(4)},
            # A job that comes late (a machine that slept, a slow start) still comes, once.
            job_defaults={
                "misfire_grace_time": None,
                "coalesce": True,
                "max_instances": 2,
            },  # the end of one turn may meet the start of the next
        )
        self._scheduler.add_listener(_complain, EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)
        self._ended = Event()

    def start(self) -> None:
        """Begins; jobs whose moment is past run at once."""
        self._scheduler.start()

    def at(self, name: str, moment: datetime, work: Callable[[], datetime | None]) -> None:
        """Runs `work` at `moment` (of the clock), and again at the moment that it returns, until it returns None.

        A job of the same name is replaced. When `work` raises, it is tried again after a minute.
        """
        self._plan(name, moment, work, "default")

    def _plan(self, name: str, moment: datetime, work: Callable[[], datetime | None], pool: str) -> None:
        delay = max(0.0, self._clock.seconds_until(moment))
        when = datetime.now(UTC) + timedelta(seconds=delay)
        with self._turns:
            if not self._ended.is_set():
                self._scheduler.add_job(
                    self._run,
                    DateTrigger(run_date=when),
                    args=(name, work, pool),
                    id=name,
                    executor=pool,
                    replace_existing=True,
                )

    def every(self, name: str, span: timedelta, work: Callable[[], None]) -> None:
        """Runs `work` now and after each `span` (of the clock)."""

        def once() -> datetime:
            work()
            return self._clock.now() + span

        self._plan(name, self._clock.now(), once, _REGULAR)

    def cancel(self, name: str) -> None:
        """Removes a job; one that is running runs to its end."""
        with self._turns:
            self._scheduler.remove_job(name)

    def stop(self) -> None:
        """Starts no more jobs. Those under way are not waited for: they watch the daemon's own `stop`."""
        with self._turns:
            self._ended.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _run(self, name: str, work: Callable[[], datetime | None], pool: str) -> None:
        again: datetime | None = self._clock.now() + timedelta(minutes=1)
        try:
            again = work()
        except WatcherError as error:
            _log.error("a job failed", job=name, error=type(error).__name__, reason=str(error))
        finally:
            if again is not None:
                self._plan(name, again, work, pool)


def _complain(event: JobExecutionEvent) -> None:
    exception = getattr(event, "exception", None)
    if exception is None:
        _log.warning("a job was still running when its turn came again", job=event.job_id)
    else:
        _log.error("a job failed", job=event.job_id, error=type(exception).__name__, reason=str(exception))
