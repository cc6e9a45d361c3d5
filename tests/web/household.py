"""A page with cases: two people at USCIS, a channel, an open request, a note, and a saved letter."""

from datetime import date
from pathlib import Path

from tests.web.visiting import Site, a_site
from watcher import portals
from watcher.app import App, open_app
from watcher.model.case import ItemKind, Notice, PendingItem, Snapshot, Stage
from watcher.portal import CaseRead
from watcher.reading.poll import record_results
from watcher.settings import ChannelSettings, WebSettings
from watcher.web.case_ids import case_id

MARIA, LUIS = "IOE0900000001", "IOE0900000002"
MARIAS_PAGE, LUIS_PAGE = f"/cases/{case_id(MARIA)}", f"/cases/{case_id(LUIS)}"
REQUEST = PendingItem(
    key="rfe-1",
    kind=ItemKind.RFE,
    title="Send the evidence",
    due_on=date(2026, 8, 20),
    asked_on=date(2026, 7, 1),
    portal_id="1",
)
LETTER = b"%PDF-1.4 a letter"


def a_household(folder: Path, *, privacy: str = "masked", web: WebSettings | None = None) -> Site:
    """Return a page on the database of a household, signed in to by nobody yet."""
    account = portals.find("uscis").account.model_validate(
        {
            "name": "family",
            "portal": "uscis",
            "username": "someone@example.org",
            "password": "secret password",
            "mfa": "prompt",
        }
    )
    channel = ChannelSettings.model_validate(
        {"name": "phone", "url": "json://127.0.0.1:9/phone", "privacy": privacy, "min_severity": "routine"}
    )
    site = a_site(folder, web=web, accounts={"family": account}, channels={"phone": channel})
    with open_app(site.settings, clock=site.time) as app:
        record(app, marias(items=()), luis())
        record(app, marias())
        app.store.user.label(
            {MARIA: {"label": "Green card", "person": "Maria"}, LUIS: {"label": None, "person": "Luis"}}
        )
    return site


def record(app: App, *snapshots: Snapshot) -> None:
    """Record a check that showed these cases."""
    account = app.settings.accounts["family"]
    reads = [CaseRead(snapshot=snapshot) for snapshot in snapshots]
    record_results(reads, account, portals.find("uscis"), app.context)


def marias(items: tuple[PendingItem, ...] = (REQUEST,)) -> Snapshot:
    """Return Maria's case, by default with an open request."""
    status = "Request for Initial Evidence Was Sent" if items else "Case Was Received"
    return Snapshot(
        case_number=MARIA,
        form="I-485",
        stage=Stage.EVIDENCE_REQUESTED if items else Stage.RECEIVED,
        status=status,
        description="On July 1, 2026, we sent a request.",
        status_since=date(2026, 7, 1),
        submitted_on=date(2026, 1, 5),
        pending=items,
        notices=(Notice(key="n1", title="Receipt Notice", dated=date(2026, 1, 9)),),
    )


def luis() -> Snapshot:
    """Return Luis's case."""
    return Snapshot(
        case_number=LUIS,
        form="I-765",
        stage=Stage.UNDER_REVIEW,
        status="Case Is Being Reviewed",
        pending=(),
        notices=(),
    )


def save_letter(site: Site, *, content: bytes = LETTER, name: str = "letter.pdf") -> int:
    """Save a file as a letter of Maria's. Return its number."""
    with open_app(site.settings, clock=site.time) as app:
        folder = site.settings.state_dir / "notices" / "family" / MARIA
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        saved_as = f"notices/family/{MARIA}/{name}"
        number, _is_new = app.store.user.add_notice(
            "family", MARIA, name, saved_as=saved_as, sha256="0" * 64, now=site.time.now()
        )
    return number


def request_number(site: Site) -> int:
    """Return the number of Maria's open request."""
    with site.store() as store:
        return next(item.id for item in store.items() if item.item.kind is ItemKind.RFE)
