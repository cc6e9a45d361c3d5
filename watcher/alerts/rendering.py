"""The text of one alert: its title, its body in short or in full, and its form for an SMS. Pure.

An alert says no more than the agency said. Its links are those of the context, from the portal's fixed table, and that
to the program's own page; no text from a portal can become a link. No alert asks for a password.
"""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from watcher.alerts.body import full_parts, in_plain_words, short_parts
from watcher.alerts.change_facts import names_appointment
from watcher.alerts.change_fields import bare_title, fields_of
from watcher.alerts.change_lines import fact_of, line_of
from watcher.alerts.packing import pack
from watcher.alerts.sms import sms_of
from watcher.alerts.style import Detail, Privacy, TextStyle
from watcher.alerts.text_blocks import GAP, MAX_BODY_LENGTH, Block, Link, Paragraph, as_html, as_plain
from watcher.alerts.title import case_number_of, cut_title, subject_of, title_of, titles_of
from watcher.language.catalogue import load_catalogue
from watcher.model.alert import AlertContext, AlertText
from watcher.model.change import Change, ChangeKind, Severity

_UTC = ZoneInfo("UTC")
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

__all__ = ["render", "subject_of", "summarize"]


def render(
    context: AlertContext,
    *,
    privacy: Privacy,
    language: str,
    zone: ZoneInfo,
    office_zone: ZoneInfo | None = None,
    detail: Detail = "full",
    page: str = "",
) -> AlertText:
    """Return the text of one alert for one reader. The title names the most urgent change.

    Privacy `full` shows everything; `masked` hides numbers, longer texts, and file names; `minimal` says only that
    something changed. `detail` chooses the body. Dates are in `zone`, appointments in `office_zone` (None: in `zone`
    too). With the address of a `page`, the text has a link to it instead of commands.
    """
    catalogue = load_catalogue(language)
    changes = sorted(context.changes, key=_sort_key)
    style = TextStyle(
        catalogue=catalogue,
        zone=zone,
        office_zone=office_zone,
        privacy=privacy,
        case_number=case_number_of(context) or "",
        account=context.account,
        agency=context.agency,
        page=page,
    )
    if privacy == "minimal":
        return _minimal(changes[0], style)
    title = title_of(context, changes[0], style)
    parts = (short_parts if detail == "short" else full_parts)(context, changes, style, title=title)
    blocks = pack(parts, limit=MAX_BODY_LENGTH[detail], gap=GAP[detail], more=lambda number: _more(number, style))
    return AlertText(
        title=title,
        body=as_plain(blocks, gap=GAP[detail]),
        html=as_html(blocks),
        short=_sms(context, changes[0], style),
    )


def summarize(
    change: Change, language: str, *, zone: ZoneInfo = _UTC, office_zone: ZoneInfo | None = None, agency: str = ""
) -> str:
    """Return one line for the history, without the case number. Times are as in `render`."""
    catalogue = load_catalogue(language)
    return line_of(
        change, TextStyle(catalogue=catalogue, zone=zone, office_zone=office_zone, privacy="full", agency=agency)
    )


def _sort_key(change: Change) -> tuple[int, int]:
    position = _LEAD_ORDER.index(change.kind) if change.kind in _LEAD_ORDER else len(_LEAD_ORDER)
    return -change.severity.rank, position


def _more(number: int, style: TextStyle) -> str:
    return style.catalogue.format("general", "more_changes", count=str(number))


def _sms(context: AlertContext, lead: Change, style: TextStyle) -> str:
    """Return the title and what it does not say."""
    masked = style.for_sms()
    title = next(titles_of(context, lead, masked))
    seen = f"{title}\n{bare_title(lead, masked)}"
    fact = fields_of(lead, masked).get("place", "") if names_appointment(lead) else fact_of(lead, masked, title=seen)
    texts = filter(None, (title, in_plain_words(context, (lead,), masked), fact))
    return sms_of(". ".join(texts), style.catalogue, link=style.link)


def _minimal(lead: Change, style: TextStyle) -> AlertText:
    catalogue, urgent = style.catalogue, "_urgent" if lead.severity is Severity.URGENT else ""
    label = catalogue.message("general", f"minimal{urgent}_page")
    text = " ".join(style.sentences(catalogue.message("general", f"minimal{urgent}")))
    blocks: Sequence[Block] = [Paragraph(text), *([Link(label, style.link)] if style.page else [])]
    title = cut_title(catalogue.message("general", "minimal_title"))
    short = sms_of(title, catalogue, link=style.link)
    return AlertText(title=title, body=as_plain(blocks), html=as_html(blocks), short=short)
