"""What the user says about a case: label and person, a note, a date of their own, finished or watched again."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

from watcher.actions import Refused
from watcher.app import App
from watcher.context.known_cases import KnownCase
from watcher.export.calendar_file import update_calendar_file
from watcher.language.catalogue import load_catalogue
from watcher.messages import _, current_language, plural
from watcher.model.case import ItemKind, ItemState
from watcher.model.change import Change, ChangeKind, severity_of
from watcher.model.ledger import UserCase
from watcher.text.case_numbers import normalized_number
from watcher.text.person_names import normalized_name
from watcher.text.printable import clean

MAX_NOTE_LENGTH = 1000
MAX_REMINDER_LENGTH = 100
MAX_LABEL_LENGTH = 60
"""The longest label, and the longest name of a person."""

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def described_case(case: KnownCase) -> str:
    """Return the label and the number of a case, for sentences."""
    return f"{case.label} ({case.case_number})" if case.label else case.case_number


def own_text(typed: str, *, max_length: int) -> str:
    """Return what the user typed as one line. Raises `Refused` if nothing is left of it, or too much."""
    text = clean(typed)
    if not text:
        raise Refused(_("The text is empty."))
    if len(text) > max_length:
        raise Refused(
            plural(
                "The text has {n} character; at most {max} are possible.",
                "The text has {n} characters; at most {max} are possible.",
                len(text),
                max=max_length,
            )
        )
    return text


def add_note(app: App, known: KnownCase, text: str) -> str:
    """Add a note to the history of a case. No alert is sent."""
    kind = ChangeKind.NOTE
    change = Change(kind=kind, severity=severity_of(kind), case_number=known.case_number, new={"text": text})
    writes = app.context.compose(app.settings.accounts[known.account], (change,))
    app.context.record([replace(writes, drafts=())], now=app.clock.now())
    return _("Note added to the history of {case}.", case=described_case(known))


def add_reminder(app: App, known: KnownCase, text: str, day: date) -> tuple[str, str]:
    """Add a date of the user's own, with reminders. Raises `Refused` if it has passed."""
    now = app.clock.now()
    if day < now.astimezone(app.settings.office_zone(known.account)).date():
        raise Refused(_("{day} has passed. Check the year.", day=day))
    number = app.store.user.add_reminder(known.account, known.case_number, text, day, now)
    update_calendar_file(app.context)
    distances = ", ".join(map(_distance, app.settings.deadlines.remind))
    item = _("Item {number} ({case}: {title})", number=number, case=described_case(known), title=text)
    if distances:
        follows = _("You get reminders {distances} before that date and on the day.", distances=distances)
    else:
        follows = _("You get a reminder on the day.")
    return _("{item} is on {day}.", item=item, day=day), follows


def finish(app: App, known: KnownCase) -> tuple[bool, str, str]:
    """Stop watching a case. Return whether it was watched, what to say, and what that ends."""
    was_watched = app.store.user.finish(known.case_number, app.clock.now())
    case = described_case(known)
    if not was_watched:
        return False, _("{case} was already finished.", case=case), ""
    ended = _open_items(app, known)
    ends = plural("{n} open item gets no more reminders.", "{n} open items get no more reminders.", ended)
    return True, _("{case} is finished: no more checks.", case=case), ends if ended else ""


def watch(app: App, known: KnownCase) -> tuple[bool, str]:
    """Watch a finished case again. Return whether it was finished, and what to say."""
    was_finished = app.store.user.watch(known.case_number)
    case = described_case(known)
    if was_finished:
        return True, _("{case} is being watched again.", case=case)
    return False, _("{case} is already being watched.", case=case)


def labeled_text(number: str, said: UserCase) -> str:
    """Return what the user calls a case, and whose it is, in a sentence."""
    if said.label and said.person:
        return _("{case}: {label}, case of {person}.", case=number, label=said.label, person=said.person)
    if said.label:
        return _("{case}: {label}.", case=number, label=said.label)
    if said.person:
        return _("{case}: case of {person}, without a label.", case=number, person=said.person)
    return _("{case} has no label and no person.", case=number)


def same_labels(said: Mapping[str, UserCase], numbers: Iterable[str]) -> Iterator[str]:
    """Yield a warning for each case with the label of another one: their alerts begin with the same words."""
    labels = Counter(normalized_name(case.label) for case in said.values() if case.label)
    for number in numbers:
        label = said.get(normalized_number(number), UserCase(number=number)).label
        if label and labels[normalized_name(label)] > 1:
            yield _("{case}: another case has the label '{label}' too.", case=number, label=label)


def _distance(before: timedelta) -> str:
    """Return how long before a date a reminder is due, in words."""
    unit, number = ("days", before.days) if before % _DAY == timedelta() else ("hours", before // _HOUR)
    return load_catalogue(current_language()).plural(unit, number)


def _open_items(app: App, known: KnownCase) -> int:
    """Return how many items of the portal are open in this case, in all accounts."""
    return sum(
        item.state is ItemState.OPEN and item.item.kind is not ItemKind.REMINDER
        for case in app.store.tracked_cases(case_number=known.case_number)
        for item in case.items
    )
