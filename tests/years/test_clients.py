"""Two simulated years: each person gets the alerts of their cases, in their language, and of no others."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.years.clients import NEW_YORK, Oracle, Phones, Program, Rules, Step, Text, noon
from tests.years.in_store import SettableClock
from watcher.app import open_app
from watcher.errors import SignInRejected
from watcher.language.catalogue import load_catalogue
from watcher.model.alert import AlertState
from watcher.model.appointment_time import Day
from watcher.model.case import ItemKind, ItemState, PendingItem, Stage
from watcher.portals import find
from watcher.settings import Settings

FIRST = date(2026, 2, 2)
REJECTED = SignInRejected("wrong password")
_STATUSES = {stage: f"Chapter {index}" for index, stage in enumerate(Stage)}
_MARKS = {
    language: [load_catalogue(language).message(*path) for path in (("general", "site"), ("digest", "flood"))]
    for language in ("en", "es", "fr")
}
"""Texts by which a message shows its language: one of them is in each alert, digest, and merged message."""


def stage(stage: Stage, *pending: PendingItem) -> dict[str, Any]:
    """Return the fields of a stage. No rule knows the titles, so that only the items ask for something."""
    return {"stage": stage, "status": _STATUSES[stage], "pending": pending, "history": ()}


def item(kind: ItemKind, **fields: Any) -> PendingItem:
    return PendingItem(key=kind.value, kind=kind, title="Something is asked for", **fields)


@dataclass(frozen=True, kw_only=True)
class World:
    """The installation after its two years, and the oracle that knows what had to happen."""

    program: Program
    oracle: Oracle
    texts: list[Text]
    labels: Mapping[str, str]


@contextmanager
def world(
    folder: Path, *, accounts: list[str], channels: Mapping[str, Rules], people: dict[str, str], **settings: Any
) -> Iterator[World]:
    """Yield an installation before its first check. Each case has a label of its own."""
    values = {
        "timezone": NEW_YORK,
        "state_dir": folder / "state",
        "accounts": {
            name: find("uscis").account.model_validate({"name": name, "portal": "uscis"}) for name in accounts
        },
        "channels": {
            name: {"name": name, "url": f"json://localhost/{name}", "max_per_hour": 0, **rules}
            for name, rules in channels.items()
        },
    }
    clock = SettableClock()
    phones = Phones(clock)
    labels = {number: f"the case {number[-2:]} of {person}" for number, person in people.items()}
    with open_app(Settings.model_validate(values | settings), clock=clock, notifier=phones) as app:
        app.store.user.label({number: {"label": labels[number], "person": people[number]} for number in people})
        yield World(
            program=Program(app=app, clock=clock),
            oracle=Oracle(channels=channels, people=dict(people)),
            texts=phones.texts,
            labels=labels,
        )


def check_messages(world: World, ever_covered: Mapping[str, set[str]], languages: Mapping[str, str]) -> None:
    """Check that each message is in its channel's language and names no case and nobody that the channel is not for."""
    outbox = world.program.app.store.outbox
    heads = [alert for alert in outbox.list(state=AlertState.SENT) if alert.covered_by in {None, alert.id}]
    assert len(world.texts) == len(heads)
    for text in world.texts:
        own = languages.get(text.channel, "en")
        used = {language for language, marks in _MARKS.items() if any(mark in text.whole for mark in marks)}
        assert used == {own}, text
        for number, label in world.labels.items():
            if number not in ever_covered[text.channel]:
                assert number not in text.whole
                assert label not in text.whole


# --- a household of three people, with five cases and two languages ---

MARIAS, MARIAS_WORK, JUANS, JUANS_TRAVEL, LUCIAS = (f"IOE090000000{number}" for number in range(1, 6))
_HOUSEHOLD = {MARIAS: "María", MARIAS_WORK: "María", JUANS: "Juan", JUANS_TRAVEL: "Juan", LUCIAS: "Lucía"}
_FAMILY_CHANNELS: dict[str, dict[str, Any]] = {
    "phone": {"quiet_hours": "22:00-07:00"},
    "maria": {"people": ["María"], "language": "es", "min_severity": "routine", "privacy": "full"},
    "juan": {"people": ["Juan"], "language": "es", "quiet_hours": "21:00-08:00", "urgent_breaks_quiet": False},
    "lucia": {"people": ["Lucía"], "language": "es", "min_severity": "routine", "digest": "weekly sun 09:00"},
    "lawyer": {"cases": [MARIAS, LUCIAS], "escalate_after": "2h", "detail": "full"},
}
_NEW = {"updated_at": noon(date(2026, 1, 30)), **stage(Stage.RECEIVED)}
_RFE = item(ItemKind.RFE, due_on=date(2026, 9, 10))
_FEE = item(ItemKind.FEE)


def _on(day: str, hour: int = 17, **fields: Any) -> Step:
    return Step(at=datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC), **{"account": "parents", **fields})


def _reminder(day: str, case: str, changes: str) -> Step:
    """Return a step that only time causes; the reminder comes at the first look on that day."""
    return _on(day, case=case, changes=changes)


_FAMILY_STORY = [
    *(
        _on("2026-02-02", case=case, shown={"form": form, **_NEW}, changes="+case_added")
        for case, form in ((MARIAS, "I-485"), (MARIAS_WORK, "I-765"), (JUANS, "I-485"), (JUANS_TRAVEL, "I-131"))
    ),
    _on(
        "2026-02-03",
        account="daughter",
        case=LUCIAS,
        shown={"form": "N-400", **_NEW},
        changes="+case_added",
    ),
    _on("2026-03-10", 5, case=JUANS, shown=stage(Stage.UNDER_REVIEW), changes="*stage_changed"),
    _on("2026-03-20", case=MARIAS, shown={"updated_at": noon(date(2026, 3, 20))}, changes=".silent_update"),
    # A request with a date; nobody answers it in time.
    _on(
        "2026-06-16",
        4,
        case=MARIAS,
        shown=stage(Stage.EVIDENCE_REQUESTED, _RFE),
        changes="!rfe_received *stage_changed",
    ),
    _reminder("2026-08-11", MARIAS, "!deadline_near"),
    _reminder("2026-08-27", MARIAS, "!deadline_near"),
    _reminder("2026-09-03", MARIAS, "!deadline_near"),
    _reminder("2026-09-07", MARIAS, "!deadline_near"),
    _reminder("2026-09-09", MARIAS, "!deadline_near"),
    _reminder("2026-09-11", MARIAS, "!deadline_passed"),
    _on(
        "2026-10-01",
        case=MARIAS,
        shown=stage(Stage.EVIDENCE_RECEIVED, item(ItemKind.RFE, due_on=date(2026, 9, 10), state=ItemState.ANSWERED)),
        changes=".item_closed *stage_changed",
    ),
    _on(
        "2026-11-05", 4, account="daughter", case=LUCIAS, shown=stage(Stage.DENIED), changes="!stage_changed", seen=True
    ),
    # The parents' sign-in is rejected, and only after some days somebody signs in again.
    _on("2027-01-11", 8, case=MARIAS, shown={}),
    _on("2027-01-11", 12, error=REJECTED, changes="!sign_in_rejected"),
    _on("2027-01-12", changes="*blind"),
    _on("2027-01-15", case=MARIAS, shown={}),
    _on("2027-01-15", changes=".recovered"),
    # One case cannot be read for days, while others can.
    _on("2027-02-14", 8, case=MARIAS, shown={}),
    _on("2027-02-14", 12, fails=JUANS),
    _on("2027-02-15", fails=JUANS),
    _on("2027-02-15", fails=JUANS, changes="*portal_unreadable"),
    _on("2027-02-18", case=MARIAS, shown={}),
    _on("2027-02-18", fails=JUANS, changes=".recovered"),
    _on("2027-03-02", case=JUANS_TRAVEL, shown=stage(Stage.APPROVED), changes="*stage_changed"),
    # The work permit was Juan's after all.
    _on("2027-05-01", case=MARIAS_WORK, person="Juan"),
    _on("2027-06-01", case=MARIAS_WORK, shown=stage(Stage.REJECTED), changes="!stage_changed"),
    # The portal no longer lists a case; after three checks that is certain.
    *(_on(f"2027-08-0{day}", case=JUANS, gone=True, changes="*case_missing" if day == 3 else "") for day in (1, 2, 3)),
    _on("2027-08-20", case=JUANS, shown={}, changes=".case_returned"),
    _on("2027-10-04", case=MARIAS, shown=stage(Stage.APPROVED), changes="*stage_changed"),
]


def _reminder_days() -> Iterator[date]:
    """Yield the days on which reminders are recorded: every one around the deadline and the failing checks."""
    for number in range(730):
        day = FIRST + timedelta(days=number)
        if day.isoweekday() == 7 or (day.year, day.month) in {(2026, 8), (2026, 9), (2027, 1)}:
            yield day


def test_household_of_three_people_with_five_cases_in_two_languages(tmp_path: Path) -> None:
    channels = _FAMILY_CHANNELS
    with world(
        tmp_path,
        accounts=["parents", "daughter"],
        channels=channels,
        people=_HOUSEHOLD,
        stall={"after": "0"},
    ) as family:
        family.program.tell(_FAMILY_STORY, reminders=map(noon, _reminder_days()))
        assert family.program.received() == family.oracle.count(_FAMILY_STORY)
        ever_covered = {
            "phone": set(_HOUSEHOLD),
            "maria": {MARIAS, MARIAS_WORK},
            "juan": {JUANS, JUANS_TRAVEL, MARIAS_WORK},
            "lucia": {LUCIAS},
            "lawyer": {MARIAS, LUCIAS},
        }
        check_messages(family, ever_covered, {"maria": "es", "juan": "es", "lucia": "es"})


# --- an office of thirty people, with eighty cases and twelve channels ---

_GIVEN, _FAMILY = ("Ana", "Bruno", "Carla", "Diego", "Elena", "Fatima"), ("Diaz", "Haddad", "Nguyen", "Okafor", "Silva")
_CLIENTS = [f"{given} {family}" for given in _GIVEN for family in _FAMILY]
_NUMBERS = [f"IOE09000001{number:02}" for number in range(80)]
_CLIENT_OF = {number: _CLIENTS[index % 30] for index, number in enumerate(_NUMBERS)}
_OFFICES = ("east", "west", "north", "south")
_ACCOUNT_OF = {number: _OFFICES[index // 20] for index, number in enumerate(_NUMBERS)}
_OFFICE_CHANNELS: dict[str, dict[str, Any]] = {
    "office": {"min_severity": "routine"},
    "paralegal": {"quiet_hours": "22:00-07:00"},
    "boss": {"escalate_after": "3h", "quiet_hours": "22:00-07:00", "urgent_breaks_quiet": False},
    "partner": {"accounts": ["east", "west"], "digest": "weekly mon 08:00", "detail": "full"},
    "calendar": {"kinds": ["appointment_scheduled"]},
    "ana": {"people": ["Ana Diaz"], "language": "es", "min_severity": "routine", "digest": "daily 08:00"},
    "haddad": {"people": ["Ana Haddad", "Bruno Haddad", "Carla Haddad"], "language": "fr", "max_per_hour": 1},
    "nguyen": {"people": ["Ana Nguyen"], "privacy": "full", "quiet_hours": "21:00-08:00", "urgent_breaks_quiet": False},
    "okafor": {"people": ["Bruno Okafor"], "accounts": ["east"], "min_severity": "urgent"},
    "silva": {"people": ["Elena Silva", "Fatima Silva"], "kinds": ["rfe_received", "blind", "recovered"]},
    "couple": {"cases": [_NUMBERS[3], _NUMBERS[47]], "language": "es", "detail": "full"},
    "lawyer": {"people": ["Diego Diaz"], "cases": [_NUMBERS[45]], "escalate_after": "1h"},
}
_INTERVIEW = item(ItemKind.INTERVIEW, starts_at=Day(date(2029, 5, 2)))
_EVENTS: tuple[tuple[dict[str, Any], str], ...] = (
    (stage(Stage.UNDER_REVIEW), "*stage_changed"),
    (stage(Stage.EVIDENCE_REQUESTED, item(ItemKind.RFE)), "!rfe_received *stage_changed"),
    (stage(Stage.INTERVIEW, _INTERVIEW), "!appointment_scheduled *stage_changed"),
    (stage(Stage.DENIED), "!stage_changed"),
    ({"updated_at": noon(date(2027, 2, 2))}, ".silent_update"),
)


def office_story() -> list[Step]:
    """Return two years: each case begins with its account, or a year later, and has one event at noon or at night."""
    random, story = Random(18), list[Step]()  # noqa: S311 - the same story each time
    for index, number in enumerate(_NUMBERS):
        account = _ACCOUNT_OF[number]
        begins = noon(FIRST + timedelta(days=_OFFICES.index(account)))
        is_late = index % 20 == 19
        added = begins + timedelta(days=365 if is_late else 0)
        new = {"form": "I-485", **_NEW}
        story.append(
            Step(at=added, account=account, case=number, shown=new, changes=".case_added" if is_late else "+case_added")
        )
        at = added + timedelta(days=28 * random.randint(1, 12), hours=random.choice((0, 0, 12)))
        shown, changes = random.choice(_EVENTS)
        story.append(
            Step(at=at, account=account, case=number, shown=shown, changes=changes, seen=random.random() < 0.3)
        )
    # A case changes hands, between two events.
    story.append(Step(at=noon(date(2027, 6, 1)), account="east", case=_NUMBERS[5], person="Ana Diaz"))
    story.append(
        Step(
            at=noon(date(2027, 6, 3)),
            account="east",
            case=_NUMBERS[5],
            shown=stage(Stage.APPROVED) | {"pending": None},
            changes="*stage_changed",
        )
    )
    for account in _OFFICES:
        story += _broken_sign_in(account, datetime(2027, 9, 6 + _OFFICES.index(account), 12, tzinfo=UTC))
    # The agency rewords the status of every case of an account in one night.
    story += [
        Step(
            at=datetime(2028, 1, 10, 8, tzinfo=UTC),
            account="south",
            case=number,
            shown={"status": f"Other words {number[-2:]}"},
            changes="*status_changed",
        )
        for number in _NUMBERS
        if _ACCOUNT_OF[number] == "south"
    ]
    return sorted(story, key=lambda step: step.at)


def _broken_sign_in(account: str, at: datetime) -> list[Step]:
    """Return a rejected sign-in, after a check that works, which is repaired after three days."""
    case = next(number for number in _NUMBERS if _ACCOUNT_OF[number] == account)
    return [
        Step(at=at - timedelta(hours=4), account=account, case=case, shown={}),
        Step(at=at, account=account, error=REJECTED, changes="!sign_in_rejected"),
        Step(at=at + timedelta(days=1), account=account, changes="*blind"),
        Step(at=at + timedelta(days=3), account=account, case=case, shown={}),
        Step(at=at + timedelta(days=3), account=account, changes=".recovered"),
    ]


def test_office_of_thirty_people_with_eighty_cases_and_twelve_channels(tmp_path: Path) -> None:
    story = office_story()
    with world(
        tmp_path,
        accounts=list(_OFFICES),
        channels=_OFFICE_CHANNELS,
        people=_CLIENT_OF,
        stall={"after": "0"},
        deadlines={"remind": []},
        appointments={"remind": []},
    ) as office:
        blind = [step.at for step in story if step.changes == "*blind"]
        office.program.tell(story, reminders=blind)
        expected = office.oracle.count(story)
        assert office.program.received() == expected
        assert {alert.channel for alert in expected} == set(_OFFICE_CHANNELS)
        before = Oracle(channels=_OFFICE_CHANNELS, people=dict(_CLIENT_OF))
        ever_covered = {
            name: {
                number
                for number in _NUMBERS
                for oracle in (before, office.oracle)
                if oracle.covers(rules, _ACCOUNT_OF[number], number)
            }
            for name, rules in _OFFICE_CHANNELS.items()
        }
        check_messages(office, ever_covered, {"ana": "es", "haddad": "fr", "couple": "es"})
