"""The latest day on which a response can be due, by published rules, if the portal gives none. Pure.

No portal returns these dates; only the notice has the one that applies. So every result is an estimate and shown as
one. It uses the shorter of two periods unless the title says that the notice was mailed.

An estimate is the last day of the period itself. By 8 CFR 1.2, a period that ends on a Saturday, Sunday, or legal
holiday runs until the end of the next business day, which `runs_until` returns. Alerts name that day too, and no
estimate has passed before it is over. But the day to act on is the last day of the period: the portal's date of a
request can be a day later than the one on the notice, and then the next business day would be up to four days too late.

Sources: 8 CFR 103.2(b)(8)(iv): at most 12 weeks for a request for evidence, at most 30 days for a notice of intent to
deny, no extension. 8 CFR 103.8(b): 3 more days if the notice was served by mail. 8 CFR 1.2: the definition of a day.
USCIS Policy Manual, Volume 1, Part E, Chapter 6: the standard times, including 30 days for Form I-539. A USCIS policy
memorandum of 2013, reported at
bipc.com/uscis-gives-only-30-days-to-respond-to-provisional-unlawful-presence-waiver-rfes: 30 days for Form I-601A.
USCIS's status texts: a returned card or document is held for 180 days, then destroyed.
"""

from datetime import date, timedelta

from watcher.language.federal_holidays import is_business_day
from watcher.language.status_meaning import meaning_of
from watcher.language.title_pattern import normalize_title
from watcher.model.case import ItemKind

RFE_PERIOD = timedelta(days=84)
SHORT_RFE_PERIOD = timedelta(days=30)
INTENT_TO_DENY_PERIOD = timedelta(days=30)
MAIL_EXTENSION = timedelta(days=3)
RETURNED_CARD_PERIOD = timedelta(days=180)

_REGULATED = frozenset({ItemKind.RFE, ItemKind.INTENT_TO_DENY})
_SHORT_FORMS = frozenset({"I-539", "I-539A", "I-601A"})


def estimate_due(kind: ItemKind, *, form: str | None, asked_on: date | None, title: str) -> date | None:
    """Return the latest day for a response to a request of `asked_on`, in the portal's time zone.

    `title` is the status or item with the request. Returns None if no published rule gives a period, or if `asked_on`
    is unknown. An intent to revoke or rescind has the same period as an intent to deny.
    """
    period = _period(kind, form, title)
    if asked_on is None or period is None or (date.max - asked_on) < period:
        return None
    return asked_on + period


def runs_until(kind: ItemKind, estimate: date) -> date:
    """Return the last day of a computed period by 8 CFR 1.2: the estimate, or else the next business day after it.

    The regulation is about responses. A card that waits to be delivered again is held until the estimate.
    """
    day = estimate
    while kind in _REGULATED and day < date.max and not is_business_day(day):
        day += timedelta(days=1)
    return day


def extended_day(kind: ItemKind, estimate: date) -> date | None:
    """Return the business day until which a computed period runs by 8 CFR 1.2; None if it ends on one."""
    until = runs_until(kind, estimate)
    return until if until != estimate else None


def _period(kind: ItemKind, form: str | None, title: str) -> timedelta | None:
    extension = MAIL_EXTENSION if "mailed" in normalize_title(title).split() else timedelta()
    if kind is ItemKind.RFE:
        return (SHORT_RFE_PERIOD if form in _SHORT_FORMS else RFE_PERIOD) + extension
    if kind is ItemKind.INTENT_TO_DENY:
        return INTENT_TO_DENY_PERIOD + extension
    if kind is ItemKind.TASK and meaning_of(title).entry == "card_returned":
        return RETURNED_CARD_PERIOD
    return None
