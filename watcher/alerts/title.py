"""The title of an alert: which case it is about, and what happened. Pure."""

from collections.abc import Iterator

from watcher.alerts.change_facts import is_about_list
from watcher.alerts.change_lines import headlines_of
from watcher.alerts.packing import cut
from watcher.alerts.style import TextStyle
from watcher.model.alert import AlertContext
from watcher.model.change import Change

MAX_TITLE_LENGTH = 65
_MAX_PORTAL_LENGTH = _MAX_NAME_LENGTH = 30


def title_of(context: AlertContext, lead: Change, style: TextStyle) -> str:
    """Return the title: as much of the subject as there is room for, because what happened matters more."""
    title = ""
    for title in titles_of(context, lead, style):
        if len(title) <= MAX_TITLE_LENGTH:
            return title
    return cut_title(title)


def titles_of(context: AlertContext, lead: Change, style: TextStyle) -> Iterator[str]:
    """Yield the title with ever less of the subject, and with a shorter headline, the complete one first."""
    subjects = dict.fromkeys((subject_of(context, style), _short_subject(context, style)))
    for headline in headlines_of(lead, style):
        for subject in subjects:
            yield style.catalogue.format("general", "title", about=subject, headline=headline)


def cut_title(title: str) -> str:
    """Shorten a title that is too long."""
    return cut(title, MAX_TITLE_LENGTH)


def subject_of(context: AlertContext, style: TextStyle) -> str:
    """Return the subject of the alert: the name of the case, the agency and account, or delivery."""
    number = case_number_of(context)
    if context.links is None:
        is_list = any(map(is_about_list, context.changes))
        return style.catalogue.message("general", "lists" if is_list else "delivery")
    if number is None:
        account = style.portal_text(context.account) if style.privacy == "full" else ""
        portal = style.portal_text(context.agency or context.portal_title, max_length=_MAX_PORTAL_LENGTH)
        return style.catalogue.format("general", "account", portal=portal, account=account)
    form = context.snapshot.form if context.snapshot else None
    return case_name(number, form, style, label=context.label, person=context.person)


def case_name(number: str, form: str | None, style: TextStyle, *, label: str | None, person: str | None) -> str:
    """Return the case as its user calls it: by its label, otherwise the person or the number, and the form."""
    if label:
        return _own_name(label, style)
    name = _own_name(person, style) or style.number(number)
    return style.catalogue.format("general", "case", number=name, form=style.portal_text(form, max_length=20))


def _own_name(text: str | None, style: TextStyle) -> str:
    """Return what the user calls a case or a person. A colon ends the subject of a title, so there is none in it."""
    return style.portal_text(text).replace(": ", " - ")


def case_number_of(context: AlertContext) -> str | None:
    """Return the number of the case that the alert is about; None if it is about something else."""
    if context.snapshot is not None:
        return context.snapshot.case_number
    return next((change.case_number for change in context.changes if change.case_number), None)


def _short_subject(context: AlertContext, style: TextStyle) -> str:
    number = case_number_of(context)
    if number is None:
        return subject_of(context, style)
    return cut(_own_name(context.label or context.person, style), _MAX_NAME_LENGTH) or style.number(number)
