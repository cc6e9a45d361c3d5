"""Five years of a household on a driven clock: the real command, its processes, and everything that happens to them.

Time passes only while nothing is due: each step leaps to the next moment that the database names, attacks something,
and waits until everything due is done. What arrives is judged as in `tests/adversary`.
"""

import json
import random
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import create_server
from typing import Final

from tests.adversary.channel import HostileChannels, Mood, hostile_channels
from tests.adversary.files import Undo, damage_session, delete_letters, hold_database
from tests.adversary.oracle import Channel, Verdict, judge
from tests.adversary.portal import (
    CLIENT_SECRET,
    HARMFUL,
    HARMLESS,
    PASSWORD,
    Attack,
    HostilePortal,
    hostile_portal,
)
from tests.adversary.processes import Command, Commands, query
from tests.adversary.story import API_NUMBERS, FAMILY_NUMBERS, Author
from tests.adversary.witness import witness
from tests.benchmarks.processes import family, is_waiting
from tests.doubles.driven_clock import DrivenClock, driven_clock
from tests.soak.upkeep import Upkeep, kind_and_peak, upkeep
from tests.support.workspace import REPOSITORY
from watcher.model.account_health import AccountState

_CASES = frozenset((*API_NUMBERS, *FAMILY_NUMBERS))
CHANNELS: Final = (
    Channel(name="phone", targets=("phone",), cases=_CASES, takes_routine=True),
    Channel(name="mail", targets=("mail",), cases=_CASES, takes_routine=False),
)
START: Final = datetime(2026, 2, 2, 12, tzinfo=UTC)
OLD_SCHEMA: Final = REPOSITORY / "tests" / "store" / "database" / "released_0001.sql"

_EVENTS, _PORTAL, _CHANNEL, _FILES, _CLOCK, _KILL, _RELOAD = 0.08, 0.08, 0.08, 0.02, 0.02, 0.1, 0.02
"""How often each of them happens in a step."""
_ATTACKS = tuple(attack for attack in (*HARMLESS, *HARMFUL) if attack not in {Attack.DRIP, Attack.ENDLESS})
_MOODS = tuple(mood for mood in Mood if mood not in {Mood.DRIP, Mood.ENDLESS})
_WALL = (timedelta(hours=9), timedelta(hours=-2), timedelta(minutes=-20))
_REST_WITHIN = 90.0  # true seconds
_SOON = 2.0  # true seconds after which a person helps
_STEP = timedelta(seconds=3)
_LIVELY = timedelta(seconds=50)
"""The most time that passes at once while a worker lives: it must show signs of life."""
_RETIRED = timedelta(minutes=15)
"""After how long idle processes have ended."""
_MOST_STEP, _SAME_VISIT = timedelta(days=3), timedelta(hours=6)
_HOUR = timedelta(hours=1)
_WAITING = tuple(state.value for state in AccountState if state.waits_for_person)
_DUE = """SELECT min(due) FROM (SELECT next_read_at AS due FROM account UNION ALL
    SELECT next_attempt_at FROM alert WHERE state IN ('queued', 'held', 'failed'))"""


@dataclass(slots=True, kw_only=True)
class Household:
    """The installation.

    `faults` are what went wrong at once, `counts` what happened to it, and `peaks` the most memory of each kind of
    process. What the portal shows must be recorded within `patience`.
    """

    folder: Path
    chance: random.Random
    clock: DrivenClock
    portal: HostilePortal
    channels: HostileChannels
    commands: Commands
    author: Author
    port: int
    patience: timedelta
    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    supervisor_may_die: bool = True
    peaks: dict[str, float] = field(default_factory=dict)
    _shown: dict[tuple[str, int], datetime] = field(default_factory=dict)
    _daemon: Command | None = None
    _release: Path = REPOSITORY
    _undo: list[Undo] = field(default_factory=list)

    @property
    def database(self) -> Path:
        return self.folder / "state" / "watcher.sqlite3"

    def live(self, until: datetime) -> None:
        """Step from one moment at which something is due to the next."""
        while self.clock.now() < until and not self.faults:
            self.step()

    def step(self) -> None:
        """Let the portal's story go on, attack something, let time pass, and wait for rest."""
        self.counts["steps"] += 1
        self.author.is_telling = self.chance.random() < _EVENTS
        self.author.tick()
        self.author.is_telling = False
        self._trouble()
        kill = self._happens("kills", _KILL)
        self._leap(self._until_next())
        if kill:
            self.kill()
        self._wait_for_rest()
        self._calm()
        self._check_health()
        self._look_for_unrecorded()
        self.portal.practice.forget_requests()

    # --- attacks ---

    def _happens(self, what: str, how_often: float) -> bool:
        happens = self.chance.random() < how_often
        self.counts[what] += happens
        return happens

    def _trouble(self) -> None:
        if self._happens("portal faults", _PORTAL):
            self.portal.begin(self.chance.choice(_ATTACKS), 3600, on_sign_ins=self.chance.random() < 0.1)
        if self._happens("channel faults", _CHANNEL):
            self.channels.begin(self.chance.choice(CHANNELS).name, self.chance.choice(_MOODS), 3600)
        if self._happens("file faults", _FILES):
            attack = self.chance.choice((damage_session, delete_letters, hold_database))
            self._undo.append(attack(self.folder / "state", self._running().pid, self.chance))
        if self._happens("clock changes", _CLOCK):
            self.clock.set_wall(self.chance.choice(_WALL))
        if self._happens("reloads", _RELOAD):
            self._running().send(signal.SIGHUP)

    def _calm(self) -> None:
        self.portal.calm()
        self.channels.calm()
        self._undo_all()

    def _undo_all(self) -> None:
        while self._undo:
            self._undo.pop()()

    def kill(self) -> None:
        """Kill one of the processes, whichever works, at a random moment soon after something became due."""
        time.sleep(self.chance.uniform(0, 1.5))
        daemon = self._running()
        victims = [pid for pid in family(daemon.pid) if pid != daemon.pid]
        if victims and self.chance.random() < 0.7:
            self.commands.kill_process("child", self.chance.choice(victims))
        elif self.supervisor_may_die:
            self.commands.kill(daemon)
            self._daemon = None

    # --- processes ---

    def _running(self) -> Command:
        if self._daemon is not None and self._daemon.has_ended():
            self.faults.append(f"{self.clock.now()}: the daemon ended by itself with {self._daemon.status}")
            self.commands.forget(self._daemon)
            self._daemon = None
        if self._daemon is None:
            self.counts["starts"] += 1
            environ = {"PYTHONPATH": str(self._release)}
            self._daemon = self.commands.start("run", cold=True, environ=environ)
        return self._daemon

    def upgrade(self, version: str) -> None:
        """End the daemon, and start a new release in its place."""
        self.end()
        self._release = self.folder / f"release-{version}"
        shutil.copytree(REPOSITORY / "watcher", self._release / "watcher", ignore=shutil.ignore_patterns("__pycache__"))
        head = self._release / "watcher" / "__init__.py"
        text = head.read_text("utf-8")
        head.write_text(text.replace(text.partition('__version__ = "')[2].partition('"')[0], version), "utf-8")
        self.counts["upgrades"] += 1
        self._running()
        self._check_health()
        self._wait_for_rest()

    def end(self) -> None:
        """Send SIGTERM, after which the daemon must end."""
        daemon, self._daemon = self._running(), None
        daemon.send(signal.SIGTERM)
        if not daemon.has_ended(_REST_WITHIN):
            self.faults.append("the daemon did not end after SIGTERM")
            self.commands.kill(daemon)
            return
        self.commands.forget(daemon)
        if daemon.status not in {0, -signal.SIGTERM}:
            self.faults.append(f"the daemon ended with {daemon.status} after SIGTERM")

    def _check_health(self) -> None:
        """Ask the health page, which must answer whatever goes on, once the daemon has started."""
        if not _eventually(self._answers, _REST_WITHIN):
            self.faults.append(f"{self.clock.now()}: /healthz does not answer")

    def _answers(self) -> bool:
        with suppress(OSError, HTTPException), closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as page:
            page.request("GET", "/healthz")
            response = page.getresponse()
            response.read()
            self.counts["healthy" if response.status == HTTPStatus.OK else "not healthy"] += 1
            return True
        return False

    # --- time ---

    def _leap(self, span: timedelta) -> None:
        """Let time pass once nothing runs: what runs takes no time."""
        until = self.clock.now() + span
        while (left := until - self.clock.now()) > timedelta():
            _eventually(lambda: is_waiting(self._running().pid), _REST_WITHIN)
            is_alone = self._is_alone()
            self.clock.leap(left if is_alone else min(left, _LIVELY))
            if is_alone or not self._is_done():
                return

    def _due(self) -> datetime | None:
        """Return when something is due next; None if the database cannot be read now."""
        rows = query(self.database, _DUE)
        due = rows[0][0] if rows else None
        return datetime.fromisoformat(due).replace(tzinfo=UTC) if due else None

    def _until_next(self) -> timedelta:
        """Return how long it is until accounts are due, together with those that are due soon after."""
        now, due = self.clock.now(), self._due()
        if due is None:
            return timedelta(minutes=1)
        last = due + _SAME_VISIT
        sql = "SELECT max(next_read_at) FROM account WHERE next_read_at <= ?"
        rows = query(self.database, sql, f"{last:%Y-%m-%d %H:%M:%S.%f}")
        if rows and rows[0][0]:
            due = max(due, datetime.fromisoformat(rows[0][0]).replace(tzinfo=UTC))
        return min(max(due - now, timedelta()) + timedelta(seconds=1), _MOST_STEP)

    def _wait_for_rest(self) -> None:
        """Wait until nothing is due, then until the processes that are not needed have ended."""
        began = time.monotonic()
        while not self._is_done():
            passed = time.monotonic() - began
            if passed > _REST_WITHIN:
                self.faults.append(f"{self.clock.now()}: no rest within {_REST_WITHIN:g} s: {self._state()}")
                return
            if passed > _SOON:
                self._undo_all()
                self._lift_pauses()
            pid = self._running().pid
            self._note_memory()
            if is_waiting(pid):
                self.clock.leap(_STEP)  # for a timeout
        until = self.clock.now() + _RETIRED
        while not self._is_alone() and self._is_done() and self.clock.now() < until:
            self._note_memory()
            self._leap(_LIVELY)

    def _note_memory(self) -> None:
        """Note the most that a process of each kind has taken. Which of them are seen at once is chance."""
        for pid in family(self._running().pid):
            kind, most = kind_and_peak(pid)
            self.peaks[kind] = max(self.peaks.get(kind, 0.0), most)

    def _is_done(self) -> bool:
        due = self._due()
        return due is not None and due > self.clock.now()

    def _is_alone(self) -> bool:
        return len(family(self._running().pid)) == 1

    def _state(self) -> object:
        return query(self.database, "SELECT name, state, next_read_at, last_error FROM account"), query(
            self.database, "SELECT id, channel, state, next_attempt_at, last_error FROM alert WHERE state <> 'sent'"
        )

    def _lift_pauses(self) -> None:
        """Do what the user does when asked to."""
        marks = ", ".join("?" * len(_WAITING))
        paused = query(self.database, f"SELECT name FROM account WHERE state IN ({marks})", *_WAITING)  # noqa: S608
        for (name,) in paused or ():
            self.counts["resumed"] += 1
            self.commands.run("resume", name)

    def _look_for_unrecorded(self) -> None:
        self._lift_pauses()
        self.author.tick()
        for happening in self.author.waiting():
            shown = self._shown.setdefault((happening.number, happening.since), self.clock.now())
            if self.clock.now() - shown > self.patience:
                self.faults.append(f"{self.clock.now()}: not recorded: {happening}: {self._state()}")

    # --- the end ---

    def settle(self) -> None:
        """Live on without attacks until everything was recorded and delivered."""
        for _ in range(12):
            self._leap(self._until_next())
            self._wait_for_rest()
            self._look_for_unrecorded()
            unsent = query(self.database, "SELECT 1 FROM alert WHERE state NOT IN ('sent', 'dropped')")
            if not self.author.waiting() and unsent == []:
                return

    def upkeep(self) -> Upkeep:
        """Measure what the daemon holds at rest."""
        _eventually(lambda: self._is_alone() and is_waiting(self._running().pid), _REST_WITHIN)
        now = upkeep(self._running().pid, self.database, self.folder / "output.log", dict(self.peaks))
        self.peaks.clear()
        return now

    def verdict(self) -> Verdict:
        return judge(
            self.author,
            self.channels.arrivals,
            self.commands.kills,
            self.commands.interruptions,
            self.database,
            CHANNELS,
            Counter(),
        )

    def last_faults(self) -> Iterator[str]:
        """End the daemon, and yield what was wrong or is left."""
        self.end()
        yield from self.faults
        hanging = (self.folder / "output.log").read_text("utf-8").count("worker_hangs")
        yield from [f"{hanging} workers hung"] * (hanging > 0)
        yield from (f"still running: {line}" for line in self.commands.left())
        temporary = [*(self.folder / "tmp").iterdir(), *(self.folder / "state").rglob("*.tmp*")]
        yield from (f"left over: {path}" for path in temporary)


@contextmanager
def household(folder: Path, seed: int, *, every: timedelta = timedelta(days=1)) -> Iterator[Household]:
    """Set up the household with a database of the first release. Nothing of the program runs yet."""
    chances = [random.Random(f"{seed} {name}") for name in ("portal", "channels", "author", "household")]  # noqa: S311
    (folder / "tmp").mkdir()
    with ExitStack() as stack:
        clock = stack.enter_context(driven_clock(folder, START))
        clock.follow_leaps()
        seen = witness(folder)
        portal = stack.enter_context(hostile_portal(clock, chances[0]))
        environ = {
            "HOME": str(folder),
            "PYTHONPATH": str(REPOSITORY),
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TMPDIR": str(folder / "tmp"),
            **clock.environ,
            **seen.environ,
            "LD_PRELOAD": f"{clock.environ['LD_PRELOAD']} {seen.library}",
        }
        database = folder / "state" / "watcher.sqlite3"
        commands = Commands(folder, environ, folder / "output.log", database)
        stack.callback(commands.close)
        channels = stack.enter_context(hostile_channels(chances[1], seen.sender))
        author = Author(portal.practice, None, clock, database, chances[2])
        with create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        _configure(folder, portal, channels, port, every)
        _create_old_database(database)
        yield Household(
            folder=folder,
            chance=chances[3],
            clock=clock,
            portal=portal,
            channels=channels,
            commands=commands,
            author=author,
            port=port,
            patience=20 * every,
        )


def _configure(folder: Path, portal: HostilePortal, channels: HostileChannels, port: int, every: timedelta) -> None:
    practice = portal.practice.account
    path = folder / "watcher.toml"
    path.write_text(
        f"""
timezone = "America/New_York"
state_dir = "state"
[schedule]
every = "{every // _HOUR}h"
jitter = "5m"
[health]
listen = "127.0.0.1:{port}"
[accounts.api]
portal = "uscis-api"
base_url = "{portal.origin}"
client_id = "{practice.client_id}"
client_secret = {json.dumps(CLIENT_SECRET)}
cases = {json.dumps(API_NUMBERS)}
requests_per_second = 500
daily_requests = 1000000
[accounts.family]
portal = "recipe"
recipe = "{REPOSITORY}/config/recipes/practice.toml"
base_url = "{portal.origin}"
username = "{practice.username}"
password = {json.dumps(PASSWORD)}
cases = {json.dumps(FAMILY_NUMBERS)}
[channels.phone]
url = "json://{channels.host}/phone"
min_severity = "routine"
privacy = "full"
max_per_hour = 0
[channels.mail]
url = "json://{channels.host}/mail"
max_per_hour = 0
""",
        "utf-8",
    )
    path.chmod(0o600)


def _create_old_database(file: Path) -> None:
    """Create the tables of the first release, without rows."""
    file.parent.mkdir(mode=0o700)
    with closing(sqlite3.connect(file)) as database:
        database.executescript(OLD_SCHEMA.read_text("utf-8"))
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in set(tables) - {"alembic_version"}:
            database.execute(f'DELETE FROM "{table}"')  # noqa: S608 - our own names
        database.commit()
    file.chmod(0o600)


def _eventually(is_so: Callable[[], bool], within: float) -> bool:
    until = time.monotonic() + within
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
