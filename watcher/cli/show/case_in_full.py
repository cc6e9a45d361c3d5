"""One case in full, for `watcher status CASE`."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from shlex import quote

from watcher.cli.show.item_texts import date_text, explain_marks
from watcher.cli.terminal.output import (
    local_time,
    print_line,
    print_paragraph,
    print_table,
    print_wrapped_table,
    safe,
    screen_width,
    severity_color,
    styled,
)
from watcher.cli.terminal.tables import width_of, wrapped
from watcher.context.read_only import ReadOnlyContext
from watcher.language.catalogue import load_catalogue
from watcher.language.explanation import explain_status
from watcher.messages import _, current_language, mark
from watcher.model.case import ItemState, Snapshot
from watcher.model.change import RecordedChange, note_text
from watcher.model.ledger import TrackedCase, TrackedItem, TrackedNotice
from watcher.portals import find
from watcher.views.cases import agency_of, case_stalls, day_of, name_of
from watcher.views.items import task_text
from watcher.views.published_lists import list_sections, priority_text
from watcher.views.words import item_state_text

_ITEMS = (mark("ITEM"), mark("WHEN"), mark("STATE"), mark("WHAT"), mark("TITLE"))
_LETTERS = (mark("ID"), mark("DATED"), mark("TITLE"), mark("FILE"))
_TIMED = (mark("WHEN"), mark("WHAT"))
_PARTS = (mark("PART"), mark("STATUS"))
_INDENT = "  "


def print_case(case: TrackedCase, changes: Sequence[RecordedChange], context: ReadOnlyContext) -> None:
    """Print who and what the case is, its status, items, letters, notes, and timeline. `changes` are newest first."""
    print_line(name_of(case), bold=True)
    _print_facts(case, context)
    if case.snapshot is not None:
        _print_meaning(case.snapshot)
        _print_parts(case.snapshot)
    _print_place(case, context)
    _print_items(case, context)
    _print_letters(case.notices)
    zone, notes, timeline = context.settings.timezone, list[Sequence[str]](), list[Sequence[str]]()
    for change in changes:
        if (text := note_text(change.change)) is not None:
            notes.append((local_time(change.at, zone), text))
        else:
            summary = styled(change.summary, severity_color(change.change.severity))
            timeline.append((local_time(change.at, zone), summary))
    _print_timed(_("Notes"), notes)
    _print_timed(_("Timeline"), timeline)
    print_line()


def _print_facts(case: TrackedCase, context: ReadOnlyContext) -> None:
    facts = list(_facts(case, context))
    width = max(width_of(label) for label, _value in facts)
    for label, value in facts:
        first, *others = wrapped(safe(value), screen_width() - width - 2)
        print_line(f"{label}{' ' * (width - width_of(label))}  {first}")
        for line in others:
            print_line(f"{' ' * width}  {line}")


def _facts(case: TrackedCase, context: ReadOnlyContext) -> Iterator[tuple[str, str]]:
    yield _("Number"), case.case_number
    if case.person:
        yield _("Person"), case.person
    yield _("Account"), case.account
    if case.priority:
        yield _("Priority date"), priority_text(case.priority)
    if case.snapshot is not None:
        yield from _facts_of_snapshot(case, case.snapshot, _translated(case, context))
    yield _("Last checked"), local_time(case.last_read_at, context.settings.timezone)
    if case.finished:
        text = _("no longer checked; `watcher watch {case}` resumes", case=quote(case.case_number))
        yield _("Finished"), text
    elif case.missing_reads:
        yield _("Note"), styled(_("not found at the last check"), "red")
    elif case_stalls(case, context):
        yield _("Note"), styled(_("no news for longer than you asked to wait"), "yellow")


def _translated(case: TrackedCase, context: ReadOnlyContext) -> str:
    """Return what a status in the agency's own language means; "" if it is in the user's."""
    account = context.settings.accounts.get(case.account)
    words = find(account.portal).plain_status_of(account, case.snapshot) if account else {}
    text, catalogue = words.get(current_language(), ""), load_catalogue(current_language())
    quoted = catalogue.format("general", "quoted", text=text)
    return catalogue.format("general", "translated", words=quoted) if text else ""


def _facts_of_snapshot(case: TrackedCase, snapshot: Snapshot, translated: str) -> Iterator[tuple[str, str]]:
    stage = load_catalogue(current_language()).message("stage", snapshot.stage, "name")
    if snapshot.form or snapshot.title:
        yield _("Form"), ", ".join(filter(None, (snapshot.form, snapshot.title)))
    if snapshot.status:
        yield _("Status"), _since(snapshot.status, str(snapshot.status_since or ""))
    if translated:
        yield "", translated
    yield _("Stage"), _since(stage, str(case.stage_since or ""))
    if snapshot.submitted_on:
        yield _("Filed"), str(snapshot.submitted_on)
    if snapshot.office:
        yield _("Office"), snapshot.office


def _since(text: str, day: str) -> str:
    return _("{text}, since {day}", text=text, day=day) if day else text


def _print_meaning(snapshot: Snapshot) -> None:
    """Print the agency's text, what the status means, and what usually follows."""
    catalogue = load_catalogue(current_language())
    if snapshot.description:
        _print_heading(_("In the agency's words"))
        print_paragraph(snapshot.description, indent=_INDENT)
    meaning = explain_status(snapshot.status_title, snapshot.stage, catalogue)
    _print_heading(_("What it means"))
    for text in filter(None, (meaning.plain, meaning.next, catalogue.message("general", "advice"))):
        print_paragraph(text, indent=_INDENT)


def _print_parts(snapshot: Snapshot) -> None:
    if snapshot.parts:
        _print_heading(_("Parts"))
        rows = [(part.title, part.status) for part in snapshot.parts]
        print_table(tuple(map(_, _PARTS)), rows, flexible=(0, 1))


def _print_place(case: TrackedCase, context: ReadOnlyContext) -> None:
    """Print what published lists say: whether the person may ask, and the place in line."""
    of_case = context.lists.of_case(case, context.today)
    for heading, sentences in list_sections(of_case, agency=agency_of(case.account, context)):
        _print_heading(heading)
        for sentence in sentences:
            print_paragraph(sentence, indent=_INDENT)


def _print_items(case: TrackedCase, context: ReadOnlyContext) -> None:
    """Print all items, the open ones first."""

    def order(item: TrackedItem) -> tuple[bool, int]:
        return item.state is not ItemState.OPEN, day_of(item, context.settings).toordinal()

    if not case.items:
        return
    _print_heading(_("Items"))
    rows = [
        (
            str(item.id),
            date_text(item, context),
            item_state_text(item.state),
            task_text(item),
            item.item.title,
        )
        for item in sorted(case.items, key=order)
    ]
    print_table(tuple(map(_, _ITEMS)), rows, flexible=(3, 4))
    explain_marks(case.items)


def _print_letters(letters: Iterable[TrackedNotice]) -> None:
    rows = [
        (
            str(letter.id),
            str(letter.notice.dated or "-"),
            letter.notice.title,
            Path(letter.saved_as).name if letter.saved_as else _("not saved"),
        )
        for letter in letters
    ]
    if rows:
        _print_heading(_("Letters"))
        print_table(tuple(map(_, _LETTERS)), rows, flexible=(2, 3))


def _print_timed(heading: str, rows: Sequence[Sequence[str]]) -> None:
    if rows:
        _print_heading(heading)
        print_wrapped_table(tuple(map(_, _TIMED)), rows)


def _print_heading(text: str) -> None:
    print_line()
    print_line(text, bold=True)
