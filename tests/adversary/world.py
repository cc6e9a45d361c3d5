"""One run: an installation, a story, and everything that attacks them, from one seed.

The seed decides what is attacked and when. What a kill meets also depends on the machine, so the kills are logged.
"""

import base64
import html
import json
import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import quote

from tests.adversary.channel import HostileChannels, Mood, hostile_channels
from tests.adversary.clock import MovedClock, moved_clock
from tests.adversary.files import ATTACKS, Undo, replace_database, small_file_system
from tests.adversary.life_signs import LifeSigns
from tests.adversary.oracle import Channel, Verdict, judge
from tests.adversary.other_portals import IRCC_NUMBERS, USCIS_NUMBERS, OtherPortals, other_portals
from tests.adversary.portal import CLIENT_SECRET, HARMFUL, HARMLESS, PASSWORD, HostilePortal, hostile_portal
from tests.adversary.processes import CHILDREN, Command, Commands, query
from tests.adversary.story import API_NUMBERS, FAMILY_NUMBERS, Author, Happening
from tests.adversary.witness import witness
from tests.support.waiting import eventually
from tests.support.workspace import REPOSITORY

STATE_KEY: Final = "canary-state-key-0123456789"
_PAIRED: Final = frozenset(IRCC_NUMBERS)
_ALL: Final = _PAIRED | {*API_NUMBERS, *FAMILY_NUMBERS, *USCIS_NUMBERS}
CHANNELS: Final = (
    Channel(name="phone", targets=("phone",), cases=_ALL, takes_routine=True),
    Channel(name="mail", targets=("mail",), cases=_ALL, takes_routine=False),
    Channel(name="pair", targets=("good", "bad"), cases=_PAIRED, takes_routine=True),
)
""""pair" has two targets, between which Apprise waits for seconds, so only the case that moves least is sent there."""

_LOST = "case-watcher has lost its database and stopped"
"""The title of the one message that no alert has: the database is gone."""

_TARGETS = tuple(target for channel in CHANNELS for target in channel.targets)

_PATIENCE = 15.0  # seconds without progress after which nothing more is attacked for a moment; the machine may be busy
_PATIENCE_AFTER_LEAP = 25.0
_SIGN_INS = 5  # max_sign_ins_per_day
_NOTICED_WITHIN = 90.0  # seconds; a minute is promised, and the machine may be busy
_STOP_LIMIT = 60.0  # seconds; 25 are promised, and the machine may be busy
_LEAPS = (timedelta(minutes=21), timedelta(hours=26), timedelta(days=8), timedelta(days=9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run found."""

    seed: int
    kills: Counter[str]
    verdict: Verdict
    faults: tuple[str, ...]
    counts: Counter[str]


@dataclass(slots=True, kw_only=True)
class World:
    """A run that goes on. `faults` are what was wrong before the end."""

    folder: Path
    chance: random.Random
    clock: MovedClock
    portal: HostilePortal
    others: OtherPortals
    channels: HostileChannels
    commands: Commands
    author: Author
    signs: LifeSigns
    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    daemon: Command | None = None
    calm: threading.Event = field(default_factory=threading.Event)
    _undo: list[Undo] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def state(self) -> Path:
        return self.folder / "disk" / "state"

    def live(self, kills: int, until: float) -> None:
        """Attack until there were so many kills, or until this monotonic time."""
        with self._in_background(self._tell, self._trouble):
            while len(self.commands.kills) < kills and time.monotonic() < until and not self.faults:
                self._one_life()
            self._end_daemon(signal.SIGKILL)

    # --- in the background ---

    @contextmanager
    def _in_background(self, *works: Callable[[], None]) -> Iterator[None]:
        self._ended.clear()
        threads = [threading.Thread(target=work) for work in works]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def _tell(self) -> None:
        while not self._ended.wait(0.15):
            self.author.tick()

    def _trouble(self) -> None:
        """Change the moods of the portal and of the channels."""
        chance = random.Random(self.chance.random())  # noqa: S311 - repeatable, not secret
        while not self._ended.wait(chance.uniform(0.2, 1.5)):
            if self.calm.is_set():
                continue
            seconds = chance.uniform(0.3, 2.5)
            match chance.randrange(6):
                case 0:
                    self.portal.begin(chance.choice(HARMLESS), seconds, on_sign_ins=True)
                case 1:
                    self.portal.begin(chance.choice(HARMFUL), seconds, on_sign_ins=chance.random() < 0.1)
                case 2 | 3:
                    mood = chance.choice(list(Mood))
                    self.counts[f"channel {mood}"] += 1
                    self.channels.begin(chance.choice(_TARGETS), mood, seconds)
                case _:
                    self.portal.calm()

    # --- processes ---

    def _one_life(self) -> None:
        """Let the daemon run for a moment, then attack a process, a file, or the clock."""
        daemon = self._running_daemon()
        if self._stuck():
            self._rescue()
            return
        if self.chance.random() < 0.6:  # a kill while it works, not only while it starts
            eventually(lambda: self.signs.is_ready or daemon.has_ended(), within=_PATIENCE)
        time.sleep(self.chance.uniform(0, 1.2) if self.chance.random() < 0.97 else 8)
        actions: dict[Callable[[Command], None], int] = {
            self._kill_daemon: 30,
            self._kill_check: 35,
            self._kill_child: 15,
            self._kill_sender: 25,
            self._kill_everything: 5,
            self._stop_for_a_moment: 4,
            self._terminate: 4,
            self._hang_up: 2,
            self._attack_files: 6,
            self._replace_database: 2,
            self._attack_clock: 3,
            self._refuse_password: 1,
        }
        self.chance.choices(list(actions), list(actions.values()))[0](daemon)

    def _running_daemon(self) -> Command:
        if self.daemon is not None and self.daemon.has_ended():
            self.faults.append(f"the daemon ended by itself with {self.daemon.status}")
            self.commands.forget(self.daemon)
            self.daemon = None
        if self.daemon is None:
            cold = self.chance.random() < 0.05
            self.daemon = self.commands.start("run", cold=cold, environ=self.signs.environ)
            self.signs.watch(self.daemon)
            self.counts["starts"] += 1
        return self.daemon

    def _end_daemon(self, number: int) -> None:
        """End the daemon by a kill, or by a signal after which it must end well."""
        daemon, self.daemon = self.daemon, None
        self.signs.watch(None)
        if daemon is None:
            return
        if number == signal.SIGKILL:
            self.commands.kill(daemon)
            return
        daemon.send(number)
        if not daemon.has_ended(_STOP_LIMIT):
            self.faults.append(f"the daemon did not end within {_STOP_LIMIT:g} seconds after SIGTERM")
            self.commands.kill(daemon)
            return
        self.commands.forget(daemon)
        if daemon.status not in {0, -signal.SIGTERM}:
            self.faults.append(f"the daemon ended with {daemon.status} after SIGTERM")

    def _kill_daemon(self, _: Command) -> None:
        self._end_daemon(signal.SIGKILL)

    def _kill_check(self, _: Command) -> None:
        """Kill a `watcher check` beside the daemon, or, after a kill of the daemon, several that run alone."""
        if self.chance.random() < 0.4:
            self._check_and_kill()
            return
        self._end_daemon(signal.SIGKILL)
        for _number in range(self.chance.randint(2, 12)):
            self._check_and_kill()

    def _check_and_kill(self) -> None:
        traced = ["--trace", "traces"] if self.chance.random() < 0.3 else []
        check = self.commands.start("check", *traced)
        if check.has_ended(self.chance.choice((0.1, 0.4, 0.8, 1.6, 3.2)) * self.chance.uniform(0.5, 1)):
            self.commands.forget(check)
        else:
            self.commands.kill(check)

    def _kill_child(self, _: Command) -> None:
        name = self.chance.choices(tuple(CHILDREN), (4, 5, 2, 1))[0]
        if eventually(lambda: self.commands.find(name), within=self.chance.uniform(0, 1)):
            time.sleep(self.chance.uniform(0, 0.5))
            self.commands.kill_child(name)

    def _kill_sender(self, _: Command) -> None:
        """Kill what sends while it sends, a moment after a message has begun to arrive."""
        seen = len(self.channels.arrivals)
        if eventually(lambda: len(self.channels.arrivals) > seen, within=1.5, every=0.001):
            time.sleep(self.chance.choice((0, 0.001, 0.003, 0.01, 0.03)))
            self.commands.kill_child(self.chance.choice(("sender", "sender", "worker")))

    def _kill_everything(self, _: Command) -> None:
        """Kill all processes at once, as a loss of power does."""
        self.signs.watch(None)
        self.daemon = None
        self.commands.kill_all()

    def _stop_for_a_moment(self, daemon: Command) -> None:
        self.counts["stops"] += 1
        pid = self._one_of(daemon)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(self.chance.uniform(0.1, 2))
            os.kill(pid, signal.SIGCONT)
        self.signs.excuse()

    def _terminate(self, _: Command) -> None:
        self.counts["terminations"] += 1
        self._end_daemon(signal.SIGTERM)

    def _hang_up(self, daemon: Command) -> None:
        """Send SIGHUP once the daemon has said that it runs; before, it ends a process."""
        if self.signs.is_ready:
            self.counts["reloads"] += 1
            daemon.send(signal.SIGHUP)

    def _one_of(self, daemon: Command) -> int:
        """Return the daemon's process, or a worker."""
        return self.chance.choice([daemon.pid, *self.commands.workers_of(daemon)])

    def _attack_files(self, daemon: Command) -> None:
        """Attack the files for a moment, perhaps with a loss of power in the midst of it."""
        attack, is_ready = self.chance.choice(ATTACKS), self.signs.is_ready
        self.counts[attack.__name__] += 1
        self._undo.append(attack(self.state, self._one_of(daemon), self.chance))
        time.sleep(self.chance.uniform(0.1, 2))
        if self.chance.random() < 0.5:
            self._kill_everything(daemon)
        elif daemon.has_ended():
            if is_ready:  # before that, it may say why it cannot start
                self.faults.append(f"the daemon ended with {daemon.status} because of {attack.__name__}")
            self._end_daemon(signal.SIGKILL)
        self._undo_all()

    def _replace_database(self, daemon: Command) -> None:
        """Replace the database by a copy of itself: the daemon must notice, and end by itself within a minute."""
        if not self.signs.is_ready:
            return
        self.counts["replaced databases"] += 1
        with self.commands.interrupted():
            replace_database(self.state)
        if not daemon.has_ended(_NOTICED_WITHIN):
            self.faults.append(
                f"the daemon did not end within {_NOTICED_WITHIN:g} seconds after its database was replaced"
            )
            self.commands.kill(daemon)
        elif daemon.status != 1:
            self.faults.append(f"the daemon ended with {daemon.status} after its database was replaced")
        else:
            self.commands.forget(daemon)
        self.daemon = None
        self.signs.watch(None)

    def _attack_clock(self, _: Command) -> None:
        """Move the clock ahead or back; a clock that is back is right again."""
        self.counts["clock"] += 1
        if self.clock.offset and self.chance.random() < 0.7:
            self.clock.move(-self.clock.offset)
        else:
            self.clock.move(timedelta(hours=self.chance.choice((-30, -2, 3, 50, 24 * 300))))

    def _refuse_password(self, _: Command) -> None:
        """Refuse the password for a while, in which it may be submitted once, whatever runs."""
        self.counts["refused passwords"] += 1
        self._be_calm()
        before = self.portal.refusals()
        self.portal.practice.desk.change_password("another one")
        eventually(lambda: self.portal.refusals() > before, within=_PATIENCE)
        self._end_daemon(signal.SIGTERM)
        self.commands.run("check")
        self._running_daemon()
        time.sleep(1.5)
        if self.portal.refusals() > before + 1:
            self.faults.append(f"a refused password was submitted {self.portal.refusals() - before} times")
        self.portal.practice.desk.change_password(PASSWORD)
        self._lift_pauses()
        self.calm.clear()

    def _undo_all(self) -> None:
        for undo in self._undo:
            undo()
        self._undo.clear()

    # --- progress ---

    def _stuck(self) -> list[Happening]:
        """Return what the portal has shown for long without being recorded."""
        before = time.monotonic() - _PATIENCE
        return [happening for happening in self.author.waiting() if happening.at < before]

    def _rescue(self) -> None:
        """Let the daemon live undisturbed for a moment. If that is not enough, move time on; that must help.

        Waits after a cut-off sign-in, limits per day, and `Retry-After` end with time.
        """
        self._be_calm()
        stuck = self._stuck()

        def has_moved(within: float) -> bool:
            return eventually(lambda: all(each.change is not None for each in stuck), within=within)

        if has_moved(_PATIENCE):
            self.calm.clear()
            return
        for leap in _LEAPS:
            self.counts["leaps"] += 1
            self._end_daemon(signal.SIGKILL)
            self.clock.move(leap)
            self._lift_pauses()  # after the kill, which may have cut a sign-in off
            self._running_daemon()
            if has_moved(_PATIENCE_AFTER_LEAP * (4 if leap is _LEAPS[-1] else 1)):
                break
        else:
            self.faults += [self._unrecorded(each) for each in stuck if each.change is None]
        self.calm.clear()

    def _unrecorded(self, happening: Happening) -> str:
        sql = 'SELECT id, kind, summary FROM "change" WHERE case_number = ? AND id > ? ORDER BY id'
        changes = query(self.state / "watcher.sqlite3", sql, happening.number, happening.since)
        accounts = query(self.state / "watcher.sqlite3", "SELECT name, state, next_read_at, last_error FROM account")
        return f"not recorded: {happening}; since then {changes}; at {self.clock.now()}: {accounts}"

    def _lift_pauses(self) -> None:
        """Act as a person who is told that an account is paused, or that its sign-in was cut off."""
        database = self.state / "watcher.sqlite3"
        states = dict(query(database, "SELECT name, state FROM account") or ())
        if states.get("uscis", "ok") != "ok":
            self.sign_in_at_uscis()
        is_cut_off = bool(query(database, "SELECT id FROM submission WHERE verdict IS NULL"))
        for name in ("family", "ircc"):
            if is_cut_off or states.get(name, "ok") != "ok":
                self.commands.run("resume", name)

    def sign_in_at_uscis(self) -> None:
        """Hand a session over, as a person does after having signed in with a browser."""
        file = self.folder / "cookies.json"
        self.others.write_session(file)
        self.commands.run("login", "uscis", "--cookies", str(file))
        file.unlink()

    def _be_calm(self) -> None:
        self.calm.set()
        self._undo_all()
        self.portal.calm()
        self.channels.calm()

    def settle(self) -> None:
        """Let everything that waits be recorded and delivered, without attacks."""
        self._be_calm()
        self.author.is_telling = False
        for leap in (timedelta(), *_LEAPS):
            self.clock.move(leap)
            self._lift_pauses()
            self.commands.run("alerts", "retry")
            self.commands.run("check")
            self.author.tick()
            if not self.author.waiting() and not self._undelivered():
                break

    def _undelivered(self) -> bool:
        sql = "SELECT id FROM alert WHERE state NOT IN ('sent', 'dropped')"
        return query(self.state / "watcher.sqlite3", sql) != []

    def verdict(self) -> Verdict:
        losses = self.counts["replaced databases"]
        return judge(
            self.author,
            self.channels.arrivals,
            self.commands.kills,
            self.commands.interruptions,
            self.state / "watcher.sqlite3",
            CHANNELS,
            Counter({_LOST: losses}),
        )

    def last_faults(self) -> Iterator[str]:
        """Yield what is left where nothing may be."""
        yield from self.faults
        yield from self.signs.faults
        yield from (f"still running: {line}" for line in self.commands.left())
        yield from (f"left over: {path}" for path in self._left_over())
        yield from self._secrets_shown()
        yield from (f"more than {_SIGN_INS} sign-ins in a day: {at}" for at in self.portal.beyond_limit(_SIGN_INS))

    def _left_over(self) -> Iterator[Path]:
        yield from (self.folder / "tmp").iterdir()
        yield from (path for path in self.state.rglob("*") if ".tmp" in path.name or path.name.startswith("."))

    def _secrets_shown(self) -> Iterator[str]:
        secrets = {spelling for secret in (PASSWORD, CLIENT_SECRET, STATE_KEY) for spelling in _spellings(secret)}
        secrets |= {secret for secret in self.portal.secrets | self.others.sessions() if len(secret) > 7}
        texts = {
            path: path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and path.name not in {"watcher.toml", "clock.so", "witness.so"}
        }
        alerts = "\n".join(f"{arrival.title}\n{arrival.body}" for arrival in self.channels.arrivals)
        texts[Path("alerts")] = alerts.encode()
        for path, text in texts.items():
            shown = [secret for secret in secrets if secret.encode() in text]
            if shown:
                yield f"{path.name} shows {len(shown)} secrets, such as {shown[0]!r}"


def _spellings(secret: str) -> set[str]:
    quoted = json.dumps(secret)[1:-1]
    return {secret, html.escape(secret), quote(secret), quoted, base64.b64encode(secret.encode()).decode()}


@contextmanager
def world(folder: Path, seed: int) -> Iterator[World]:
    """Set up a run. Nothing of the program runs yet."""
    chances = [random.Random(f"{seed} {name}") for name in ("portal", "channels", "author", "world")]  # noqa: S311
    (folder / "tmp").mkdir()
    (folder / "disk").mkdir()
    clock, seen = moved_clock(folder), witness(folder)
    with ExitStack() as stack:
        stack.enter_context(small_file_system(folder / "disk"))
        portal = stack.enter_context(hostile_portal(clock, chances[0]))
        others = stack.enter_context(other_portals(portal))
        signs = stack.enter_context(LifeSigns(folder))
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
        database = folder / "disk" / "state" / "watcher.sqlite3"
        commands = Commands(folder, environ, folder / "output.log", database)
        stack.callback(commands.close)
        channels = stack.enter_context(hostile_channels(chances[1], seen.sender))
        author = Author(portal.practice, others, clock, database, chances[2])
        _configure(folder, portal, others, channels, signs)
        yield World(
            folder=folder,
            chance=chances[3],
            clock=clock,
            portal=portal,
            others=others,
            channels=channels,
            commands=commands,
            author=author,
            signs=signs,
        )


def run(folder: Path, seed: int, *, kills: int, seconds: float) -> Result:
    """Live through a run, for at most so many seconds before everything settles, and judge it."""
    with world(folder, seed) as lived:
        lived.sign_in_at_uscis()
        lived.live(kills, time.monotonic() + seconds)
        lived.settle()
        faults = tuple(lived.last_faults())
        lived.counts += lived.portal.attacked
        lived.counts += Counter(f"sign-ins {verdict}" for _, verdict in lived.portal.submissions)
        unknown = sum(arrival.sender is None for arrival in lived.channels.arrivals)
        lived.counts += Counter(messages=len(lived.channels.arrivals), messages_of_unknown_senders=unknown)
        lived.counts += Counter(keep_alives=lived.signs.beats, health_answers=lived.signs.answers)
        _write_evidence(lived)
        return Result(
            seed=seed,
            kills=Counter(kill.victim for kill in lived.commands.kills),
            verdict=lived.verdict(),
            faults=faults,
            counts=lived.counts,
        )


def run_anew(seed: int, kills: int, seconds: float, keep: Path | None = None) -> Result:
    """Do the same in a folder of its own. A run with faults is copied to a folder in `keep`."""
    with TemporaryDirectory(prefix="adversary-") as folder:
        result = run(Path(folder), seed, kills=kills, seconds=seconds)
        if keep is not None and (result.faults or result.verdict.faults):
            shutil.copytree(folder, keep / f"seed-{seed}", ignore=_sockets, dirs_exist_ok=True)
        return result


def _sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if Path(folder, name).is_socket()]


def _write_evidence(lived: World) -> None:
    """Write beside the database what a fault is explained with: the true story, what arrived, and the kills."""
    evidence = {
        "cases": {number: (story.status, story.open_items) for number, story in lived.author.cases.items()},
        "happenings": lived.author.happenings,
        "arrivals": lived.channels.arrivals,
        "kills": lived.commands.kills,
        "interruptions": lived.commands.interruptions,
    }
    shutil.copytree(lived.state, lived.folder / "state", dirs_exist_ok=True)
    for name, value in evidence.items():
        (lived.folder / f"{name}.json").write_text(json.dumps(value, default=_as_json, indent=1), "utf-8")


def _as_json(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return sorted(value) if isinstance(value, frozenset) else str(value)


def _configure(
    folder: Path, portal: HostilePortal, others: OtherPortals, channels: HostileChannels, signs: LifeSigns
) -> None:
    practice = portal.practice.account
    path = folder / "watcher.toml"
    path.write_text(
        f"""
timezone = "America/New_York"
state_dir = "disk/state"
state_key = {json.dumps(STATE_KEY)}
[schedule]
every = "1s"
jitter = "0s"
[stall]
after = "0"
[deadlines]
remind = []
[appointments]
remind = []
[health]
listen = "127.0.0.1:{signs.port}"
[accounts.api]
portal = "uscis-api"
base_url = "{portal.origin}"
client_id = "{practice.client_id}"
client_secret = {json.dumps(practice.client_secret)}
cases = {json.dumps(API_NUMBERS)}
requests_per_second = 500
daily_requests = 1000000
[accounts.family]
portal = "recipe"
recipe = "{REPOSITORY}/config/recipes/practice.toml"
base_url = "{portal.origin}"
username = "{practice.username}"
password = {json.dumps(practice.password)}
cases = {json.dumps(FAMILY_NUMBERS)}
{others.settings}
[channels.phone]
url = "json://{channels.host}/phone"
min_severity = "routine"
privacy = "full"
max_per_hour = 0
[channels.mail]
url = "json://{channels.host}/mail"
max_per_hour = 0
[channels.pair]
url = "ntfy://{channels.host}/good/bad"
accounts = ["ircc"]
min_severity = "routine"
max_per_hour = 0
""",
        "utf-8",
    )
    path.chmod(0o600)
