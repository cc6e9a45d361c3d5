"""The cases of two people, with letters and alerts, for visits of the page."""

from datetime import date

from tests.store.temporary_store import a_change, a_draft, case_write
from tests.web.visiting import Site
from watcher.model.case import ItemKind, Notice, PendingItem, Snapshot, Stage
from watcher.model.change import Severity
from watcher.model.writes import WriteSet
from watcher.notices.notice_files import FOLDER
from watcher.portals import find
from watcher.privacy.web_tokens import digest_of
from watcher.settings import AccountSettings

MARIA, JOSE = "AA00000001", "AA00000002"
ALERT_TOKEN = "made-up-token-of-an-alert"
EVIL = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>{{ 7 * 7 }}"
"""A text that would do harm if it were not escaped."""


def family() -> dict[str, AccountSettings]:
    """Return the configuration's account."""
    keys = {"name": "family", "portal": "manual", "site": "ceac", "cases": [MARIA, JOSE]}
    return {"family": find("manual").account.model_validate(keys)}


def record(site: Site, *, text: str = "Ready", file: str = "letter.pdf") -> None:
    """Record a case of Maria and one of Jose, each with an item, a letter, and an alert; `text` is in every field."""
    folder = site.settings.state_dir / FOLDER
    folder.mkdir()
    with site.store() as store:
        store.accounts.health("family", site.time.now())
        for number, person in ((MARIA, "Maria"), (JOSE, "Jose")):
            store.record([_write_set(number, text)], now=site.time.now())
            store.user.label({number: {"label": f"{person} {text}", "person": person}})
        for notice in store.notices():
            (folder / f"{notice.id}-{file}").write_bytes(b"%PDF-1.4 made up")
            store.set_saved(notice.id, saved_as=f"{FOLDER}/{notice.id}-{file}", sha256="0" * 64)
        store.outbox.set_link(1, digest_of(ALERT_TOKEN))


def _write_set(number: str, text: str) -> WriteSet:
    item = PendingItem(key="i", kind=ItemKind.TASK, title=text, due_on=date(2026, 8, 1), place=text)
    snapshot = Snapshot(
        case_number=number,
        status=text,
        stage=Stage.UNKNOWN,
        title=text,
        form="DS-160",
        description=text,
        pending=(item,),
        notices=(Notice(key="n", title=text, dated=date(2026, 7, 1)),),
    )
    draft = a_draft(text, severity=Severity.IMPORTANT)
    return WriteSet(
        account="family",
        case_number=number,
        case=case_write(snapshot),
        changes=(a_change(number=number),),
        summaries=(text,),
        drafts=(draft,),
    )
