"""One alert: what happened, what it means, what usually comes next, and where to look. Pure.

An alert says no more than the portal said. Its links are those of the occasion, from the portal's fixed table; nothing
that came in a portal's text can become one. It asks nobody for a password.
"""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from watcher.alerts.change_lines import (
    headline_of,
    is_estimated,
    item_kind_of,
    line_of,
    meaning_of_change,
    names_appointment,
    status_of,
)
from watcher.alerts.sanitize import sanitize
from watcher.alerts.style import LONGEST_TEXT, Privacy, TextStyle
from watcher.alerts.text_blocks import Block, Link, Listing, Paragraph, as_html, as_plain
from watcher.language.catalogue import Catalogue, load_catalogue
from watcher.language.explanation import GlossaryText, explain_item, explain_status
from watcher.model.alert import AlertContext, AlertText
from watcher.model.change import Change, ChangeKind, Severity

LONGEST_TITLE = 120
LONGEST_SHORT = 140
_MOST_MEANINGS = 3
_MOST_HISTORY = 5

_OF_STATUS = frozenset({ChangeKind.STAGE_CHANGED, ChangeKind.STATUS_CHANGED, ChangeKind.CASE_ADDED})
_OF_ITEM = frozenset(
    {
        ChangeKind.RFE_RECEIVED,
        ChangeKind.INTENT_TO_DENY_RECEIVED,
        ChangeKind.APPOINTMENT_SCHEDULED,
        ChangeKind.ITEM_ADDED,
        ChangeKind.ITEM_CHANGED,
    }
)
_OF_SIGN_IN = frozenset({ChangeKind.SIGN_IN_REJECTED, ChangeKind.ACCOUNT_LOCKED, ChangeKind.MFA_NEEDED})
_WITH_HELP = _OF_SIGN_IN | {ChangeKind.STALLED, ChangeKind.DEADLINE_PASSED, ChangeKind.CASE_MISSING}
_TOLD_FIRST = (
    ChangeKind.INTENT_TO_DENY_RECEIVED,
    ChangeKind.RFE_RECEIVED,
    ChangeKind.STAGE_CHANGED,
    ChangeKind.DEADLINE_PASSED,
    ChangeKind.DEADLINE_NEAR,
)


def render(occasion: AlertContext, *, privacy: Privacy, language: str, zone: ZoneInfo) -> AlertText:
    """The words of one alert for one reader, its title carrying the most urgent change.

    `full` tells everything; `masked` hides numbers, longer texts and names of files; `minimal` says only that
    something changed. Dates are in `zone`.
    """
    words = load_catalogue(language)
    changes = sorted(occasion.changes, key=_weight)
    if privacy == "minimal":
        return _minimal(changes[0], words)
    teller = TextStyle(
        catalogue=words,
        zone=zone,
        privacy=privacy,
        case_number=_case_number(occasion) or "",
        account=occasion.account,
    )
    blocks = list(_blocks(occasion, changes, teller))
    return AlertText(
        title=_title(occasion, changes[0], teller),
        body=as_plain(blocks),
        html=as_html(blocks),
        short=_short(occasion, changes[0], teller),
    )


def subject_of(occasion: AlertContext, teller: TextStyle) -> str:
    """What the alert is about: the case by its number and form, or the portal and its account."""
    number = _case_number(occasion)
    if number is None:
        account = teller.portal_text(occasion.account) if teller.privacy == "full" else ""
        portal = sanitize(occasion.portal_title, teller.catalogue, max_length=LONGEST_TITLE // 2)
        return teller.catalogue.format("general", "account", portal=portal, account=account)
    form = teller.portal_text(_form(occasion), max_length=20)
    return teller.catalogue.format("general", "case", number=teller.number(number), form=form)


def _weight(change: Change) -> tuple[int, int]:
    place = _TOLD_FIRST.index(change.kind) if change.kind in _TOLD_FIRST else len(_TOLD_FIRST)
    return -change.severity.rank, place


def _case_number(occasion: AlertContext) -> str | None:
    if occasion.snapshot is not None:
        return occasion.snapshot.case_number
    return next((change.case_number for change in occasion.changes if change.case_number), None)


def _form(occasion: AlertContext) -> str | None:
    return occasion.snapshot.form if occasion.snapshot is not None else None


def _title(occasion: AlertContext, lead: Change, teller: TextStyle) -> str:
    title = teller.catalogue.format(
        "general", "title", about=subject_of(occasion, teller), headline=headline_of(lead, teller)
    )
    return _cut(title, LONGEST_TITLE)


def _short(occasion: AlertContext, lead: Change, teller: TextStyle) -> str:
    """The title and the portal's own words, for a channel that shows a hundred-odd characters to whoever looks."""
    masked = TextStyle(catalogue=teller.catalogue, zone=teller.zone, privacy="masked", case_number=teller.case_number)
    headline, status = headline_of(lead, masked), masked.quoted(status_of(lead))
    text = teller.catalogue.format(
        "general",
        "short",
        about=subject_of(occasion, masked),
        headline=headline,
        status="" if status in headline else status,
    )
    return _cut(text, LONGEST_SHORT)


def _cut(text: str, max_length: int) -> str:
    return text if len(text) <= max_length else text[: max_length - 1].rstrip() + "…"


def _minimal(lead: Change, words: Catalogue) -> AlertText:
    text = words.message("general", "minimal_urgent" if lead.severity is Severity.URGENT else "minimal")
    blocks = [Paragraph(text)]
    title = words.message("general", "minimal_title")
    return AlertText(title=title, body=as_plain(blocks), html=as_html(blocks), short=title)


def _blocks(occasion: AlertContext, changes: Sequence[Change], teller: TextStyle) -> Iterator[Block]:
    shown = occasion.snapshot.status if occasion.snapshot is not None else None
    lines = [line_of(change, teller, visible_status=shown) for change in changes]
    yield Paragraph(lines[0]) if len(lines) == 1 else Listing(lines)
    meanings = list(_meanings(occasion, changes, teller))
    for gloss in meanings:
        yield Paragraph(gloss.plain, label=teller.catalogue.message("general", "means"))
        yield Paragraph(gloss.next, label=teller.catalogue.message("general", "next"))
    yield from _own_words(occasion, changes, teller)
    yield from _cautions(changes, teller)
    yield from _history(occasion, teller)
    yield from _links(occasion, changes, teller)
    if _case_number(occasion) is not None and meanings:
        yield Paragraph(teller.catalogue.message("general", "advice"))


def _meanings(occasion: AlertContext, changes: Sequence[Change], teller: TextStyle) -> Iterator[GlossaryText]:
    """What the most important changes mean, each meaning once; what is routine is explained only where it leads."""
    told: list[str] = []
    for change in changes:
        if change.severity is not changes[0].severity and change.kind is not ChangeKind.STAGE_CHANGED:
            continue
        gloss = _gloss(occasion, change, teller)
        if gloss.plain and gloss.plain not in told and len(told) < _MOST_MEANINGS:
            told.append(gloss.plain)
            yield gloss


def _gloss(occasion: AlertContext, change: Change, teller: TextStyle) -> GlossaryText:
    if change.kind in _OF_STATUS and occasion.snapshot is not None:
        return explain_status(occasion.snapshot.status_title, occasion.snapshot.stage, teller.catalogue)
    if change.kind in _OF_ITEM:
        return explain_item(item_kind_of(change), status_of(change) or "", teller.catalogue)
    return GlossaryText(
        plain=meaning_of_change(change, teller, "plain"),
        next=meaning_of_change(change, teller, "next"),
    )


def _own_words(occasion: AlertContext, changes: Sequence[Change], teller: TextStyle) -> Iterator[Block]:
    """The portal's status as it stands, and in full the text below it."""
    case = occasion.snapshot
    if case is None or not case.status:
        return
    since = teller.day(case.status_since)
    status = teller.catalogue.format("general", "says_since", words=teller.quoted(case.status), since=since)
    yield Paragraph(status, label=teller.catalogue.message("general", "says"))
    if teller.privacy == "full" and case.description and any(change.kind in _OF_STATUS for change in changes):
        yield Paragraph(teller.quoted(case.description, max_length=LONGEST_TEXT))


def _cautions(changes: Sequence[Change], teller: TextStyle) -> Iterator[Block]:
    words = teller.catalogue
    if any(is_estimated(change) for change in changes):
        yield Paragraph(words.message("general", "estimate"))
    elif any(names_appointment(change) for change in changes):
        yield Paragraph(words.message("general", "notice_governs"))
    if any(change.kind in _OF_SIGN_IN for change in changes):
        if teller.privacy != "full":
            yield Paragraph(words.message("general", "which_account"))
        yield Paragraph(words.message("general", "no_password"))
    if any(change.kind is ChangeKind.STALLED for change in changes):
        yield Paragraph(teller.number(teller.case_number), label=words.message("general", "number"))


def _history(occasion: AlertContext, teller: TextStyle) -> Iterator[Block]:
    lines = [
        teller.catalogue.format("general", "before_line", at=teller.day(told.at), line=line_of(told.change, teller))
        for told in occasion.history[:_MOST_HISTORY]
    ]
    if lines:
        yield Listing(lines, label=teller.catalogue.message("general", "before"))


def _links(occasion: AlertContext, changes: Sequence[Change], teller: TextStyle) -> Iterator[Block]:
    links, kinds = occasion.links, {change.kind for change in changes}
    if links.reset and kinds & {ChangeKind.SIGN_IN_REJECTED, ChangeKind.ACCOUNT_LOCKED}:
        yield Link(teller.catalogue.message("general", "reset"), links.reset)
    if kinds & _WITH_HELP:
        yield Link(teller.catalogue.message("general", "help"), links.help)
    yield Link(teller.catalogue.message("general", "site"), links.sign_in)


_UTC = ZoneInfo("UTC")


def summarize(change: Change, language: str, *, zone: ZoneInfo = _UTC) -> str:
    """What happened, in one line for the history, without the case number. Times are told in `zone`."""
    return line_of(change, TextStyle(catalogue=load_catalogue(language), zone=zone, privacy="full"))
