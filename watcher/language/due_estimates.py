"""The latest day on which an answer can be due, by published rules, where the portal gives none. Pure.

No portal returns these dates; only the notice carries the one that counts. So every result here is an estimate, is
shown as one, and is made from the shorter of two periods unless the title itself says that the notice was mailed.

Sources: 8 CFR 103.2(b)(8)(iv): at most 12 weeks for a request for evidence, at most 30 days for a notice of intent to
deny, no extension. 8 CFR 103.8(b): 3 days more where the notice was served by mail. USCIS Policy Manual, Volume 1,
Part E, Chapter 6: the standard times, among them 30 days for Form I-539. USCIS's own status texts: a returned card or
document is held for 180 days, then destroyed.
"""

from datetime import date, timedelta

from watcher.language.status_meaning import meaning_of, normalize_title
from watcher.model.case import ItemKind

RFE = timedelta(days=84)
RFE_SHORT = timedelta(days=30)
INTENT = timedelta(days=30)
BY_MAIL = timedelta(days=3)
HELD = timedelta(days=180)

_SHORT_FORMS = frozenset({"I-539", "I-539A"})


def estimate_due(kind: ItemKind, *, form: str | None, asked_on: date | None, title: str) -> date | None:
    """The latest day for an answer to what was asked on `asked_on`, in the portal's own time zone.

    `title` is the status or item that asks. None where no published rule gives a time, or where it is not known when
    it was asked. An intent to revoke or rescind goes by the same time as an intent to deny.
    """
    period = _period(kind, form, title)
    if asked_on is None or period is None or (date.max - asked_on) < period:
        return None
    return asked_on + period


def _period(kind: ItemKind, form: str | None, title: str) -> timedelta | None:
    served_by = BY_MAIL if "mailed" in normalize_title(title).split() else timedelta()
    if kind is ItemKind.RFE:
        return (RFE_SHORT if form in _SHORT_FORMS else RFE) + served_by
    if kind is ItemKind.INTENT_TO_DENY:
        return INTENT + served_by
    if kind is ItemKind.TASK and meaning_of(title).entry == "card_returned":
        return HELD
    return None
