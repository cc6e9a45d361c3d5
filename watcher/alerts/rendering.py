"""The text of one alert: what happened, what it means, what usually comes next, and where to look. Pure.

An alert says no more than the portal said. Its links are those of the context, from the portal's fixed table; no text
from a portal can become a link. No alert asks for a password.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from watcher.alerts.change_facts import is_estimated, item_kind_of, may_be_unanswered, names_appointment
from watcher.alerts.change_lines import (
    headline_of,
    line_of,
    meaning_of_change,
    status_of,
)
from watcher.alerts.competing import competing_times
from watcher.alerts.sanitize import sanitize
from watcher.alerts.style import MAX_SHORT_LENGTH, MAX_TEXT_LENGTH, Privacy, TextStyle
from watcher.alerts.text_blocks import Block, Link, Listing, Paragraph, as_html, as_plain
from watcher.language.catalogue import Catalogue, load_catalogue
from watcher.language.explanation import GlossaryText, explain_item, explain_status
from watcher.model.alert import AlertContext, AlertText
from watcher.model.change import Change, ChangeKind, Severity

MAX_TITLE_LENGTH = 120
_MAX_MEANINGS = 3
_MAX_HISTORY = 5

_STATUS_KINDS = frozenset({ChangeKind.STAGE_CHANGED, ChangeKind.STATUS_CHANGED, ChangeKind.CASE_ADDED})
_ITEM_KINDS = frozenset(
    {
        ChangeKind.RFE_RECEIVED,
        ChangeKind.INTENT_TO_DENY_RECEIVED,
        ChangeKind.APPOINTMENT_SCHEDULED,
        ChangeKind.ITEM_ADDED,
        ChangeKind.ITEM_CHANGED,
    }
)
_SIGN_IN_KINDS = frozenset(
    {ChangeKind.SIGN_IN_REJECTED, ChangeKind.ACCOUNT_LOCKED, ChangeKind.MFA_NEEDED, ChangeKind.SESSION_ENDED}
)
_HELP_KINDS = _SIGN_IN_KINDS | {
    ChangeKind.STALLED,
    ChangeKind.DEADLINE_PASSED,
    ChangeKind.CASE_NOT_FOUND,
    ChangeKind.CASE_MISSING,
}
_LEAD_ORDER = (
    ChangeKind.INTENT_TO_DENY_RECEIVED,
    ChangeKind.RFE_RECEIVED,
    ChangeKind.STAGE_CHANGED,
    ChangeKind.DEADLINE_PASSED,
    ChangeKind.DEADLINE_NEAR,
    ChangeKind.APPOINTMENT_CANCELLED,
    ChangeKind.APPOINTMENT_CHANGED,
    ChangeKind.APPOINTMENT_SCHEDULED,
    ChangeKind.STATUS_CHANGED,
)


def render(
    context: AlertContext, *, privacy: Privacy, language: str, zone: ZoneInfo, office_zone: ZoneInfo | None = None
) -> AlertText:
    """Return the text of one alert for one reader. The title names the most urgent change.

    `full` shows everything; `masked` hides numbers, longer texts, and file names; `minimal` says only that something
    changed. Dates are in `zone`, appointments in `office_zone` (None: in `zone` too).
    """
    catalogue = load_catalogue(language)
    changes = sorted(context.changes, key=_sort_key)
    if privacy == "minimal":
        return _minimal(changes[0], catalogue)
    style = TextStyle(
        catalogue=catalogue,
        zone=zone,
        office_zone=office_zone,
        privacy=privacy,
        case_number=_case_number(context) or "",
        account=context.account,
        agency=context.agency,
    )
    blocks = list(_blocks(context, changes, style))
    return AlertText(
        title=_title(context, changes[0], style),
        body=as_plain(blocks),
        html=as_html(blocks),
        short=_short(context, changes[0], style),
    )


def subject_of(context: AlertContext, style: TextStyle) -> str:
    """Return the subject of the alert: the number and form of the case, the portal and account, or delivery."""
    number = _case_number(context)
    if context.links is None:
        return style.catalogue.message("general", "delivery")
    if number is None:
        account = style.portal_text(context.account) if style.privacy == "full" else ""
        portal = sanitize(context.portal_title, style.catalogue, max_length=MAX_TITLE_LENGTH // 2)
        return style.catalogue.format("general", "account", portal=portal, account=account)
    form = style.portal_text(_form(context), max_length=20)
    return style.catalogue.format("general", "case", number=style.number(number), form=form)


def _sort_key(change: Change) -> tuple[int, int]:
    position = _LEAD_ORDER.index(change.kind) if change.kind in _LEAD_ORDER else len(_LEAD_ORDER)
    return -change.severity.rank, position


def _case_number(context: AlertContext) -> str | None:
    if context.snapshot is not None:
        return context.snapshot.case_number
    return next((change.case_number for change in context.changes if change.case_number), None)


def _form(context: AlertContext) -> str | None:
    return context.snapshot.form if context.snapshot is not None else None


def _title(context: AlertContext, lead: Change, style: TextStyle) -> str:
    title = style.catalogue.format(
        "general", "title", about=subject_of(context, style), headline=headline_of(lead, style)
    )
    return _cut(title, MAX_TITLE_LENGTH)


def _short(context: AlertContext, lead: Change, style: TextStyle) -> str:
    """Return the title and the portal's own words, always masked: an SMS may be visible on a locked phone."""
    masked = replace(style, privacy="masked", account="")
    headline, status = headline_of(lead, masked), masked.quoted(status_of(lead))
    text = style.catalogue.format(
        "general",
        "short",
        about=subject_of(context, masked),
        headline=headline,
        status="" if status in headline else status,
    )
    return _cut(text, MAX_SHORT_LENGTH)


def _cut(text: str, max_length: int) -> str:
    return text if len(text) <= max_length else text[: max_length - 1].rstrip() + "…"


def _minimal(lead: Change, catalogue: Catalogue) -> AlertText:
    text = catalogue.message("general", "minimal_urgent" if lead.severity is Severity.URGENT else "minimal")
    blocks = [Paragraph(text)]
    title = catalogue.message("general", "minimal_title")
    return AlertText(title=title, body=as_plain(blocks), html=as_html(blocks), short=title)


def _blocks(context: AlertContext, changes: Sequence[Change], style: TextStyle) -> Iterator[Block]:
    status = context.snapshot.status if context.snapshot is not None else None
    lines = [line_of(change, style, visible_status=status) for change in changes]
    yield Paragraph(lines[0]) if len(lines) == 1 else Listing(lines)
    meanings = list(_meanings(context, changes, style))
    for meaning in meanings:
        yield Paragraph(meaning.plain, label=style.catalogue.message("general", "means"))
        yield Paragraph(meaning.next, label=style.catalogue.message("general", "next"))
    yield from _status(context, changes, style)
    yield from _cautions(context, changes, style)
    yield from _history(context, style)
    yield from _links(context, changes, style)
    if _case_number(context) is not None and meanings:
        yield Paragraph(style.catalogue.message("general", "advice"))


def _meanings(context: AlertContext, changes: Sequence[Change], style: TextStyle) -> Iterator[GlossaryText]:
    """Yield what the most severe changes, any stage change, and a withdrawn request mean, each meaning once."""
    used: list[str] = []
    for change in changes:
        is_explained = change.kind is ChangeKind.STAGE_CHANGED or may_be_unanswered(change)
        if change.severity is not changes[0].severity and not is_explained:
            continue
        meaning = _meaning(context, change, style)
        if meaning.plain and meaning.plain not in used and len(used) < _MAX_MEANINGS:
            used.append(meaning.plain)
            yield meaning


def _meaning(context: AlertContext, change: Change, style: TextStyle) -> GlossaryText:
    if change.kind in _STATUS_KINDS and context.snapshot is not None:
        return explain_status(context.snapshot.status_title, context.snapshot.stage, style.catalogue)
    if change.kind in _ITEM_KINDS:
        return explain_item(item_kind_of(change), status_of(change) or "", style.catalogue)
    return GlossaryText(
        plain=meaning_of_change(change, style, "plain"),
        next=meaning_of_change(change, style, "next"),
    )


def _status(context: AlertContext, changes: Sequence[Change], style: TextStyle) -> Iterator[Block]:
    """Yield the present status in the portal's words and, with `full` privacy, its description."""
    case = context.snapshot
    if case is None or not case.status:
        return
    since = style.day(case.status_since)
    status = style.catalogue.format("general", "says_since", words=style.quoted(case.status), since=since)
    yield Paragraph(status, label=style.catalogue.message("general", "says"))
    if style.privacy == "full" and case.description and any(change.kind in _STATUS_KINDS for change in changes):
        yield Paragraph(style.quoted(case.description, max_length=MAX_TEXT_LENGTH))


def _cautions(context: AlertContext, changes: Sequence[Change], style: TextStyle) -> Iterator[Block]:
    catalogue = style.catalogue
    competing = competing_times(context, style.office_zone or style.zone)
    if competing:
        times = "; ".join(style.appointment(when) for when in competing)
        yield Paragraph(catalogue.format("general", "competing", times=times))
    if any(is_estimated(change) for change in changes):
        yield Paragraph(catalogue.message("general", "estimate"))
    elif any(names_appointment(change) for change in changes):
        yield Paragraph(catalogue.message("general", "notice_governs"))
    if any(change.kind in _SIGN_IN_KINDS for change in changes):
        if style.privacy != "full":
            yield Paragraph(catalogue.message("general", "which_account"))
        yield Paragraph(catalogue.message("general", "no_password"))
    if any(change.kind is ChangeKind.STALLED for change in changes):
        yield Paragraph(style.number(style.case_number), label=catalogue.message("general", "number"))


def _history(context: AlertContext, style: TextStyle) -> Iterator[Block]:
    lines = [
        style.catalogue.format("general", "before_line", at=style.day(entry.at), line=line_of(entry.change, style))
        for entry in context.history[:_MAX_HISTORY]
    ]
    if lines:
        yield Listing(lines, label=style.catalogue.message("general", "before"))


def _links(context: AlertContext, changes: Sequence[Change], style: TextStyle) -> Iterator[Block]:
    links, kinds = context.links, {change.kind for change in changes}
    if links is None:
        return
    if links.reset and kinds & {ChangeKind.SIGN_IN_REJECTED, ChangeKind.ACCOUNT_LOCKED}:
        yield Link(style.catalogue.message("general", "reset"), links.reset)
    if kinds & _HELP_KINDS:
        yield Link(style.catalogue.message("general", "help"), links.help)
    yield Link(style.catalogue.message("general", "site"), links.sign_in)


_UTC = ZoneInfo("UTC")


def summarize(
    change: Change, language: str, *, zone: ZoneInfo = _UTC, office_zone: ZoneInfo | None = None, agency: str = ""
) -> str:
    """Return one line for the history, without the case number. Times are as in `render`."""
    catalogue = load_catalogue(language)
    return line_of(
        change, TextStyle(catalogue=catalogue, zone=zone, office_zone=office_zone, privacy="full", agency=agency)
    )
