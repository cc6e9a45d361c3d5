"""The parts of an alert's body, in short and in full, with their ranks: which ones matter most. Pure.

A short body answers three questions: what happened, what to do and by when, and where to look. A full one also says
what it means, quotes the agency at length, and shows what happened before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from watcher.alerts.change_facts import (
    has_passed,
    is_estimated,
    item_kind_of,
    may_be_unanswered,
    names_appointment,
    object_of,
)
from watcher.alerts.change_fields import bare_title
from watcher.alerts.change_lines import fact_of, line_of, meaning_of_change
from watcher.alerts.competing import competing_times
from watcher.alerts.packing import Form, Part, pack
from watcher.alerts.style import MAX_TEXT_LENGTH, TextStyle, translated
from watcher.alerts.text_blocks import GAP, MAX_BODY_LENGTH, as_plain
from watcher.alerts.title import case_name
from watcher.language.explanation import GlossaryText, explain_item, explain_status
from watcher.model.alert import AlertContext
from watcher.model.case import ItemKind
from watcher.model.change import Change, ChangeKind, Severity
from watcher.reference.lists import BULLETIN_PAGE, INQUIRY_PAGE

_MAX_HISTORY: Final = 5
_MIN_DESCRIPTION_LENGTH: Final = 80
_CUT_REMARK_LENGTH: Final = 40

_STATUS_KINDS: Final = frozenset({ChangeKind.STAGE_CHANGED, ChangeKind.STATUS_CHANGED, ChangeKind.CASE_ADDED})
_ITEM_KINDS: Final = frozenset(
    {
        ChangeKind.RFE_RECEIVED,
        ChangeKind.INTENT_TO_DENY_RECEIVED,
        ChangeKind.APPOINTMENT_SCHEDULED,
        ChangeKind.ITEM_ADDED,
        ChangeKind.ITEM_CHANGED,
    }
)
_SIGN_IN_KINDS: Final = frozenset(
    {ChangeKind.SIGN_IN_REJECTED, ChangeKind.ACCOUNT_LOCKED, ChangeKind.MFA_NEEDED, ChangeKind.SESSION_ENDED}
)
_RESET_KINDS: Final = frozenset({ChangeKind.SIGN_IN_REJECTED, ChangeKind.ACCOUNT_LOCKED})
_PAGES: Final = (
    (frozenset({ChangeKind.INQUIRY_OPEN}), "inquiry_page", INQUIRY_PAGE),
    (frozenset({ChangeKind.PRIORITY_CURRENT, ChangeKind.PRIORITY_BACK}), "bulletin_page", BULLETIN_PAGE),
)
"""Official pages about changes that published lists cause, with the keys of their labels."""
_PAGE_KINDS: Final = frozenset({ChangeKind.STALLED}.union(*(kinds for kinds, _label, _page in _PAGES)))
_HELP_KINDS: Final = _SIGN_IN_KINDS | {
    ChangeKind.STALLED,
    ChangeKind.DEADLINE_PASSED,
    ChangeKind.CASE_NOT_FOUND,
    ChangeKind.CASE_MISSING,
}
_OFFICIAL_SITE_KINDS: Final = (
    _HELP_KINDS
    | _PAGE_KINDS
    | {ChangeKind.LOOK_REMINDER, ChangeKind.OFFICIAL_MAIL, ChangeKind.PORTAL_UNREADABLE, ChangeKind.BLIND}
)
"""Changes about which only an official page helps: a short alert has its address beside that of the page."""

_ANSWERED: Final = frozenset({ItemKind.RFE, ItemKind.INTENT_TO_DENY})
_RANKS: Final = {Severity.URGENT: 1, Severity.IMPORTANT: 3, Severity.ROUTINE: 5}


def short_parts(context: AlertContext, changes: Sequence[Change], style: TextStyle, *, title: str) -> list[Part]:
    """Return the parts of the short body. `changes` are in their order, the one of the title first."""
    lead, meaning = changes[0], _meaning(context, changes, style)
    fact = fact_of(lead, style, title=title)
    parts = [Part(pieces=style.sentences(fact), rank=0, rest=1), *_competing(context, style)]
    parts.append(_plain_part(context, changes, style))
    parts += _other_changes(context, changes, style, visible=f"{title}\n{fact}")
    if lead.kind in _STATUS_KINDS | _ITEM_KINDS:
        parts.append(Part(pieces=style.sentences(meaning.plain), rank=4, rest=6))
    parts.append(Part(pieces=style.sentences(meaning.next), rank=2, rest=5, label=_next_label(lead, style)))
    parts += _which_account(changes, style)
    if lead.kind in _STATUS_KINDS | {ChangeKind.STALLED}:
        parts += _status(context, style, visible=f"{title}\n{fact}")
    kinds = {change.kind for change in changes}
    links = list(_links(context, kinds, style)) if not style.page or kinds & _OFFICIAL_SITE_KINDS else []
    parts += links[:1] if kinds & _PAGE_KINDS else links[-1:]
    return [part for part in (*parts, *_page(style)) if part.pieces]


def full_parts(context: AlertContext, changes: Sequence[Change], style: TextStyle, *, title: str) -> list[Part]:
    """Return the parts of the full body. `changes` are in their order, the one of the title first."""
    catalogue, lead, meaning = style.catalogue, changes[0], _meaning(context, changes, style)
    fact = fact_of(lead, style, title=title)
    before = [Part(pieces=style.sentences(fact), rank=0, rest=1), *_competing(context, style)]
    before.append(_plain_part(context, changes, style))
    before += _other_changes(context, changes, style, visible=f"{title}\n{fact}")
    means = "" if meaning.plain in fact else meaning.plain
    before.append(Part(pieces=style.sentences(means), rank=3, label=catalogue.message("general", "means")))
    before.append(Part(pieces=style.sentences(meaning.next), rank=2, label=catalogue.message("general", "next")))
    before += [*_which_account(changes, style), *_status(context, style, visible=f"{title}\n{fact}")]
    after = [
        *_cautions(changes, style),
        *_number(context, style),
        *_links(context, {change.kind for change in changes}, style),
    ]
    if context.snapshot is not None and meaning.plain:
        after.append(Part(pieces=(catalogue.message("general", "advice"),), rank=4))
    after += _page(style)
    before, after = ([part for part in parts if part.pieces] for parts in (before, after))
    description = _description(context, changes, style, others=[*before, *after])
    history = [part for part in _history(context, style) if part.pieces]
    return [*before, *description, *history, *after]


def _meaning(context: AlertContext, changes: Sequence[Change], style: TextStyle) -> GlossaryText:
    """Return what the first change means, and what to do. A request that may need no answer decides what to do."""
    meaning = _meaning_of(context, changes[0], style)
    withdrawn = next((change for change in changes[1:] if may_be_unanswered(change)), None)
    return meaning if withdrawn is None else replace(meaning, next=meaning_of_change(withdrawn, style, "next"))


def _meaning_of(context: AlertContext, change: Change, style: TextStyle) -> GlossaryText:
    if change.kind in _STATUS_KINDS and context.snapshot is not None:
        return explain_status(context.snapshot.status_title, context.snapshot.stage, style.catalogue)
    if change.kind in _ITEM_KINDS and not has_passed(change):
        title = object_of(change.new).get("title")
        meaning = explain_item(item_kind_of(change), title if isinstance(title, str) else "", style.catalogue)
        if not object_of(change.new).get("is_overdue") or item_kind_of(change) not in _ANSWERED:
            return meaning
        overdue = replace(change, kind=ChangeKind.DEADLINE_PASSED)
        return replace(meaning, next=meaning_of_change(overdue, style, "next"))
    return GlossaryText(
        plain=meaning_of_change(change, style, "plain"),
        next=meaning_of_change(change, style, "next"),
    )


def _next_label(lead: Change, style: TextStyle) -> str:
    """Return the label of what to do; what usually follows a status is not always something to do."""
    return style.catalogue.message("general", "next") if lead.kind in _STATUS_KINDS else ""


def _other_changes(
    context: AlertContext, changes: Sequence[Change], style: TextStyle, *, visible: str
) -> Iterator[Part]:
    """Yield the changes that the title does not name, the most severe ones first."""
    lead, status = changes[0], context.snapshot.status if context.snapshot else None
    seen = f"{visible}\n{style.portal_text(status)}"
    others = [change for change in changes[1:] if not _is_the_same_event(lead, change, style)]
    lines = tuple(line_of(change, style, visible=seen) for change in others)
    if lines:
        ranks = [1 if may_be_unanswered(change) else _RANKS[change.severity] for change in others]
        yield Part(
            pieces=lines,
            rank=ranks[0],
            rest=max(ranks),
            form=Form.LINES,
            counted=True,
        )


def _is_the_same_event(lead: Change, change: Change, style: TextStyle) -> bool:
    """Return whether a new status only repeats what the item says that was made from it."""
    if lead.kind not in _ITEM_KINDS or change.kind not in _STATUS_KINDS:
        return False
    return bare_title(lead, style) == bare_title(change, style)


def _competing(context: AlertContext, style: TextStyle) -> Iterator[Part]:
    times = competing_times(context, style.office_zone or style.zone)
    if times:
        shown = "; ".join(style.appointment(when) for when in times)
        text = style.catalogue.format("general", "competing", times=shown, agency=style.agency_name())
        yield Part(pieces=(text[:1].upper() + text[1:],), rank=1)


def _which_account(changes: Sequence[Change], style: TextStyle) -> Iterator[Part]:
    """Yield where to find the account and what to type, if the reader may not see its name."""
    asks = any(
        change.kind in _SIGN_IN_KINDS
        or (change.kind is ChangeKind.LOOK_REMINDER and not object_of(change.new).get("handover"))
        for change in changes
    )
    if style.privacy != "full" and asks:
        yield Part(pieces=style.sentences(style.catalogue.message("general", "which_account")), rank=1)


def _status(context: AlertContext, style: TextStyle, *, visible: str) -> Iterator[Part]:
    """Yield the present status in the agency's words, unless the reader sees it already."""
    case = context.snapshot
    if case is None or not case.status or style.portal_text(case.status) in visible:
        return
    words = style.catalogue.format(
        "general",
        "says_since",
        agency=style.agency_name(),
        words=style.quoted(case.status),
        since=style.day(case.status_since),
    )
    yield Part(pieces=(words[:1].upper() + words[1:],), rank=2)


def in_plain_words(context: AlertContext, changes: Sequence[Change], style: TextStyle) -> str:
    """Return the translation of a new status that is in the agency's language and not in the reader's; "" if none."""
    words = translated(context.plain_status, context.snapshot.status if context.snapshot else None, style)
    if not words or not any(change.kind in _STATUS_KINDS for change in changes):
        return ""
    return style.catalogue.format("general", "translated", words=style.in_quotes(words))


def _plain_part(context: AlertContext, changes: Sequence[Change], style: TextStyle) -> Part:
    return Part(pieces=tuple(filter(None, (in_plain_words(context, changes, style),))), rank=1)


def _description(
    context: AlertContext, changes: Sequence[Change], style: TextStyle, *, others: Sequence[Part]
) -> list[Part]:
    """Return the text below the status, as much of it as the other parts leave room for; only with `full` privacy."""
    case = context.snapshot
    if case is None or not case.description or style.privacy != "full":
        return []
    if not any(change.kind in _STATUS_KINDS for change in changes):
        return []
    limit, gap = MAX_BODY_LENGTH["full"], GAP["full"]
    used = len(as_plain(pack(others, limit=limit, gap=gap, more=str), gap=gap))
    room = min(limit - used - len(gap) - _CUT_REMARK_LENGTH, MAX_TEXT_LENGTH)
    if room < _MIN_DESCRIPTION_LENGTH:
        return []
    return [Part(pieces=(style.quoted(case.description, max_length=room),), rank=6)]


def _cautions(changes: Sequence[Change], style: TextStyle) -> Iterator[Part]:
    catalogue = style.catalogue
    if any(is_estimated(change) for change in changes):
        yield Part(pieces=(catalogue.message("general", "estimate"),), rank=3)
    elif any(names_appointment(change) for change in changes):
        yield Part(pieces=(catalogue.message("general", "notice_governs"),), rank=3)
    if any(change.kind in _SIGN_IN_KINDS for change in changes):
        yield Part(pieces=(catalogue.message("general", "no_password"),), rank=3)
    if any(change.kind in {ChangeKind.STALLED, ChangeKind.INQUIRY_OPEN} for change in changes):
        number = style.number(style.case_number)
        yield Part(pieces=(number,), rank=3, label=catalogue.message("general", "number"))


def _history(context: AlertContext, style: TextStyle) -> Iterator[Part]:
    lines = tuple(
        style.catalogue.format("general", "before_line", at=style.day(entry.at), line=line_of(entry.change, style))
        for entry in context.history[:_MAX_HISTORY]
    )
    if lines:
        yield Part(pieces=lines, rank=7, rest=7, label=style.catalogue.message("general", "before"), form=Form.LINES)


def _number(context: AlertContext, style: TextStyle) -> Iterator[Part]:
    """Yield the number and form of a case that the title calls by another name."""
    case = context.snapshot
    if case is not None and (context.label or context.person):
        yield Part(pieces=(case_name(case.case_number, case.form, style, label=None, person=None),), rank=4)


def _links(context: AlertContext, kinds: set[ChangeKind], style: TextStyle) -> Iterator[Part]:
    """Yield the official pages; the last one is where to look."""
    links, catalogue = context.links, style.catalogue
    if links is None:
        return
    for of_page, label, page in _PAGES:
        if kinds & of_page:
            yield Part(pieces=(catalogue.message("general", label), page), rank=1, form=Form.LINK)
    if links.reset and kinds & _RESET_KINDS:
        yield Part(pieces=(catalogue.message("general", "reset"), links.reset), rank=1, form=Form.LINK)
    if kinds & _HELP_KINDS:
        yield Part(pieces=(catalogue.message("general", "help"), links.help), rank=1, form=Form.LINK)
    yield Part(pieces=(catalogue.message("general", "site"), links.sign_in), rank=0, form=Form.LINK)


def _page(style: TextStyle) -> Iterator[Part]:
    """Yield the link to the program's own page, which must always be there."""
    if style.page:
        yield Part(pieces=(style.catalogue.message("general", "page"), style.link), rank=-1, form=Form.LINK)
