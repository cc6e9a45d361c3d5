"""An office that watches eighty cases of thirty people, in two accounts."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.cli.office_workspace import OfficeWorkspace
from watcher.language.status_meaning import meaning_of
from watcher.model.appointment_time import Moment
from watcher.model.case import ItemKind, Notice, PendingItem, Snapshot

TODAY = datetime.now(UTC).date()
PEOPLE = ("María José Fernández-Castellanos de la Peña", "王秀英", "Nguyễn Thị Minh Khai", "O'Brien, Seán", "Ana")
STATUSES = (
    "Case Was Received",
    "Case Is Being Actively Reviewed By USCIS",
    "Request for Initial Evidence Was Sent",
    "Interview Was Scheduled",
    "Case Was Approved",
    "Something That No Rule Knows About And That Is Quite Long",
)


def number_of(index: int) -> str:
    return f"IOE09{index:08}"


def person_of(index: int) -> str | None:
    """Return whose a case is: every eighth case has no person."""
    if index % 8 == 7:
        return None
    person = index % 30
    return f"{PEOPLE[person % len(PEOPLE)]}{'' if person < len(PEOPLE) else f' {person}'}"


def label_of(index: int) -> str | None:
    return f"Green card of {person_of(index) or 'nobody'}, try {index}" if index % 5 == 0 else None


def case_of(index: int) -> Snapshot:
    status = STATUSES[index % len(STATUSES)]
    pending: tuple[PendingItem, ...] = ()
    if index % len(STATUSES) == 2:
        due = TODAY + timedelta(days=index)
        pending = (PendingItem(key="r", kind=ItemKind.RFE, title="Request for Evidence", due_on=due),)
    if index % len(STATUSES) == 3:
        at = datetime(TODAY.year, TODAY.month, TODAY.day, 19, tzinfo=UTC) + timedelta(days=index)
        pending = (PendingItem(key="i", kind=ItemKind.INTERVIEW, title="Interview", starts_at=Moment(at)),)
    return Snapshot(
        case_number=number_of(index),
        form=("I-485", "I-765", "N-400")[index % 3],
        title="Application to Register Permanent Residence or Adjust Status",
        status=status,
        stage=meaning_of(status).stage,
        status_since=TODAY - timedelta(days=index),
        submitted_on=date(2024, 1, 2),
        description=f"We took this action: {status}. " * 3,
        pending=pending,
        notices=(Notice(key="n", title="Receipt Notice", dated=date(2024, 1, 9)),),
    )


def office_workspace(folder: Path) -> OfficeWorkspace:
    """Return the office, each account checked once."""
    office = OfficeWorkspace(folder=folder, accounts=("clients", "former clients"))
    office.configure()
    for account, cases in (("clients", range(60)), ("former clients", range(60, 80))):
        office.check(*map(case_of, cases), account=account)
    with office.app() as app:
        said = {number_of(index): {"label": label_of(index), "person": person_of(index)} for index in range(80)}
        app.store.user.label(said)
        for index in range(75, 80):
            app.store.user.finish(number_of(index), app.clock.now())
    return office
