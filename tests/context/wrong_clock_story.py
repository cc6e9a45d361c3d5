"""A story of 45 days that is played with a right clock, and with one that is ahead for a while.

Everything that time can cause happens in it: reminders of a due date, blindness, a stall, a channel that fails, a
digest, an escalation, sign-ins. The portal and the channels live in real time; only the program's clock is wrong.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.doubles.notifier import FakeNotifier
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.errors import PortalUnavailable
from watcher.model.alert import Alert
from watcher.model.case import ItemKind, PendingItem, Snapshot, Stage
from watcher.model.change import ChangeKind, RecordedChange
from watcher.portal import CaseRead, CaseResult, Portal, PortalContext, Reader
from watcher.portals import find
from watcher.reading.poll import poll, record_results

START = datetime(2026, 7, 1, 14, tzinfo=UTC)
DAYS = (*range(5), 8, 10, *range(14, 26), 31, 32, 35, 37, 38, 39, 41, 44)
LAST_DAY = 44.0
DUE_DAY = 38
STEP = 1 / 144
"""Days between two checks while the clock is ahead."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

RECIPE = Path(__file__).parents[2] / "config/recipes/client-credentials.toml"
SECTIONS = {
    "uscis-api": 'client_id = "made-up-id"\nclient_secret = "made-up-secret"\n',
    "uscis": 'username = "someone@example.org"\n',
    "ircc": 'program = "immigration"\nusername = "1112223334"\npassword = "made-up-password"\n',
    "recipe": f'recipe = "{RECIPE}"\nusername = "made-up-id"\npassword = "made-up-secret"\n',
    "manual": 'site = "egov"\nevery = "7d"\n',
}
CONFIG = """
timezone = "UTC"
state_dir = "state"
[schedule]
every = "6h"
jitter = "10m"
[stall]
after = "20d"
repeat = "12d"
[deadlines]
remind = ["30d", "14d", "7d", "3d", "1d"]
[channels.phone]
url = "json://phone"
min_severity = "routine"
[channels.aunt]
url = "json://aunt"
min_severity = "routine"
digest = "weekly mon 08:00"
[channels.uncle]
url = "json://uncle"
escalate_after = "36h"
[accounts.family]
portal = "{portal}"
cases = ["{number}"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """The clock is ahead at `steps` checks from the real day `at` on."""

    at: float
    steps: int
    ahead: timedelta

    @property
    def back_at(self) -> float:
        return self.at + self.steps * STEP


@dataclass(slots=True)
class WrongClock:
    """A clock that shows real time plus `ahead`."""

    real: datetime = START
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return self.real + self.ahead

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.now()).total_seconds()


@dataclass(slots=True, kw_only=True)
class Told:
    """A recorded change, and when it really was recorded."""

    day: float
    change: RecordedChange

    @property
    def what(self) -> tuple[str, str | None, str | None]:
        """What the change says, without anything that depends on the moment at which it was recorded."""
        new = self.change.change.new
        mark = new.get("due_on") if isinstance(new, dict) else None
        return self.change.change.kind.value, self.change.change.subject, mark if isinstance(mark, str) else None


@dataclass(slots=True, kw_only=True)
class Story:
    """The program, the portal, and the channels, in real time."""

    app: App
    clock: WrongClock
    phones: FakeNotifier
    portal: Portal
    told: list[Told] = field(default_factory=list)
    visits: list[float] = field(default_factory=list)
    outcomes: dict[float, str] = field(default_factory=dict)
    app_alerts: list[Alert] = field(default_factory=list)
    latest: datetime | None = None

    @property
    def number(self) -> str:
        return _number(self.portal.name)

    @property
    def day(self) -> float:
        return (self.clock.real - START) / DAY

    def step(self, day: float, ahead: timedelta = timedelta()) -> None:
        """Check at this real day, then record what time has caused, and deliver."""
        self.clock.real, self.clock.ahead = START + day * DAY, ahead
        self.phones.broken = {"json://phone": False} if 20 <= day < 24 else {}
        app, account = self.app, self.app.settings.accounts["family"]
        if self.portal.is_manual and day in {0, 3}:
            record_results([CaseRead(snapshot=_snapshot(day, self.number))], account, self.portal, app.context)
        result = poll(account, self.portal, app.read_options("family"), app.context)
        self.outcomes[day] = result.outcome.value
        app.record_time_reminders()
        app.outbox_worker().deliver_due()
        known = {told.change.id for told in self.told}
        new = [change for change in reversed(app.store.history()) if change.id not in known]
        self.told += [Told(day=self.day, change=change) for change in new]

    def told_from(self, day: float, kinds: frozenset[ChangeKind]) -> list[tuple[str, str | None, str | None]]:
        """Return what was told from this day on, of these kinds, in a fixed order."""
        return sorted(
            (told.what for told in self.told if told.day >= day and told.change.change.kind in kinds), key=repr
        )


def _number(portal_name: str) -> str:
    return "E999000001" if portal_name == "ircc" else "IOE0000000001"


def _snapshot(day: float, number: str) -> Snapshot:
    due = (START + DUE_DAY * DAY).date()
    rfe = PendingItem(key="rfe", kind=ItemKind.RFE, title="Evidence", due_on=due)
    return Snapshot(
        case_number=number,
        status="Case Is Pending" if day < 2 else "Case Is Still Pending",
        stage=Stage.UNDER_REVIEW,
        status_since=None if day < 2 else date(2026, 7, 2),
        pending=(rfe,) if day >= 3 else (),
    )


@contextmanager
def story(folder: Path, portal_name: str = "uscis-api", *, database_url: str = "") -> Iterator[Story]:
    """Begin the story in this folder."""
    clock, phones = WrongClock(), FakeNotifier()
    folder.mkdir(exist_ok=True)
    (folder / "watcher.toml").touch(mode=0o600)
    (folder / "watcher.toml").write_text(
        f'database_url = "{database_url}"'
        + CONFIG.format(portal=portal_name, number=_number(portal_name))
        + SECTIONS[portal_name],
        encoding="utf-8",
    )
    with open_app(read_settings(folder / "watcher.toml", {}), clock=clock, notifier=phones) as app:
        told = Story(app=app, clock=clock, phones=phones, portal=find(portal_name))

        @contextmanager
        def opened(_: object, context: PortalContext) -> Iterator[Reader]:
            told.visits.append(told.day)
            context.sign_in_guard.before_submission()
            if 15 <= told.day < 18:
                raise PortalUnavailable("the portal is closed", retry_after=HOUR)
            context.sign_in_guard.accepted()
            yield _Reader(told.day, told.number)

        told.portal = replace(told.portal, open=opened)
        yield told


@dataclass(slots=True)
class _Reader:
    day: float
    number: str

    def read(self) -> Generator[CaseResult, None, None]:
        yield CaseRead(snapshot=_snapshot(self.day, self.number))


def played(folder: Path, portal_name: str, jump: Jump | None = None) -> Story:
    """Play all days. The clock is right without a jump."""
    jump = jump or Jump(at=0.0, steps=0, ahead=timedelta())
    with story(folder, portal_name) as told:
        for moment in sorted({*map(float, DAYS), *(jump.at + step * STEP for step in range(jump.steps + 1))}):
            told.step(moment, jump.ahead if jump.at <= moment < jump.back_at else timedelta())
        told.app_alerts, told.latest = list(told.app.store.outbox.list()), told.app.store.stored_times().latest
        return told
