"""The overview of `watcher status`: what needs the user first, then all cases by person, the most urgent first."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from watcher.cli.show.accounts import ShownAccount, print_needed_sign_ins
from watcher.cli.show.item_texts import date_text, explain_marks, task_text
from watcher.cli.show.shown_cases import (
    agency_of,
    case_stalls,
    day_of,
    name_of,
    needs_user,
    open_items,
    today_at,
    urgency,
)
from watcher.cli.terminal.output import print_line, print_paragraph, safe, screen_width, styled
from watcher.cli.terminal.tables import aligned
from watcher.context.read_only import ReadOnlyContext
from watcher.language.catalogue import load_catalogue
from watcher.messages import _, current_language, mark
from watcher.model.account_health import AccountState
from watcher.model.ledger import TrackedCase, TrackedItem
from watcher.text.person_names import normalized_name

_NEEDS_HEAD = (mark("ITEM"), mark("WHEN"), mark("CASE"), mark("WHAT"))
_CASE_HEAD = (mark("CASE"), mark("NUMBER"), mark("STATUS"), mark("SINCE"), mark("NOTE"), mark("STAGE"))
_NOT_KNOWN = mark("{case}: {agency} does not know this number. Check it for a typo.")
_NOT_SHOWN = mark("{case}: no longer shown by {agency}. Look on the official site.")
_WIDTH_WITH_STAGE = 100
_INDENT = "  "


def print_needs(cases: Sequence[TrackedCase], accounts: Mapping[str, ShownAccount], context: ReadOnlyContext) -> None:
    """Print what needs the user: accounts to sign in to, cases that are not found, and open items, soonest first."""
    todo = [(case, item) for case in cases for item in open_items(case, today_at(case.account, context))]
    missing = [case for case in cases if case.is_missing and not case.finished]
    waiting = any(account.state.waits_for_person for account in accounts.values())
    if not todo and not missing and not waiting:
        return
    print_line(_("Needs you"), bold=True)
    print_needed_sign_ins(accounts)
    for case in missing:
        sentence = _NOT_KNOWN if case.snapshot is None else _NOT_SHOWN
        print_paragraph(_(sentence, case=_numbered(case), agency=agency_of(case.account, context)), color="red")
    _print_items(sorted(todo, key=lambda entry: (day_of(entry[1], context.settings), entry[1].id)), context)
    print_line()


def _numbered(case: TrackedCase) -> str:
    name = name_of(case)
    return name if name == case.case_number else f"{name} ({case.case_number})"


def _print_items(todo: Sequence[tuple[TrackedCase, TrackedItem]], context: ReadOnlyContext) -> None:
    rows = [(str(item.id), date_text(item, context), name_of(case), task_text(item)) for case, item in todo]
    head, *lines = _lines(_NEEDS_HEAD, rows, flexible=(2, 3), width=screen_width())
    if lines:
        print_line(head, bold=True)
    for line in lines:
        print_line(line)
    explain_marks(item for _case, item in todo)


def print_cases(cases: Sequence[TrackedCase], context: ReadOnlyContext) -> None:
    """Print all cases in groups by person, those without a person last, and the finished ones at the end."""
    groups = _groups(cases, context)
    if not groups:
        return
    indent = _INDENT if any(heading for heading, _group in groups) else ""
    rows = [_row(case, context) for _heading, group in groups for case in group]
    columns = len(_CASE_HEAD) if screen_width() >= _WIDTH_WITH_STAGE else len(_CASE_HEAD) - 1
    shown = [row[:columns] for row in rows]
    head, *lines = _lines(_CASE_HEAD[:columns], shown, flexible=(0, 2), width=screen_width() - len(indent))
    print_line(f"{indent}{head}", bold=True)
    printed = iter(lines)
    for heading, group in groups:
        if heading:
            print_line(heading, bold=True)
        for line in islice(printed, len(group)):
            print_line(f"{indent}{line}")


def _groups(cases: Iterable[TrackedCase], context: ReadOnlyContext) -> list[tuple[str, list[TrackedCase]]]:
    """Return the cases with their headings; one group without a heading if no case has a person."""
    by_person: dict[tuple[bool, str], list[TrackedCase]] = defaultdict(list)
    for case in sorted(cases, key=lambda case: urgency(case, context)):
        by_person[case.finished, "" if case.finished else normalized_name(case.person or "")].append(case)
    ordered = sorted(by_person.items(), key=lambda entry: (entry[0][0], not entry[0][1]))
    if all(not finished and not person for finished, person in by_person):
        return [("", group) for _key, group in ordered]
    return [(_heading(group[0]), group) for _key, group in ordered]


def _heading(case: TrackedCase) -> str:
    return _("Finished") if case.finished else case.person or _("Without a person")


def _row(case: TrackedCase, context: ReadOnlyContext) -> tuple[str, ...]:
    snapshot, catalogue = case.snapshot, load_catalogue(current_language())
    stage = catalogue.message("stage", snapshot.stage, "name") if snapshot else ""
    since = (snapshot.status_since if snapshot else None) or case.stage_since
    name = name_of(case) if case.finished else case.label or (snapshot.form if snapshot else None) or "-"
    status = (snapshot.status or stage) if snapshot else _("not checked yet")
    return name, case.case_number, status, str(since or "-"), _note(case, context), stage


def _note(case: TrackedCase, context: ReadOnlyContext) -> str:
    if case.is_missing and not case.finished:
        return styled(_("not found"), "red")
    if needs_user(case, today_at(case.account, context)):
        return styled(_("needs you"), "red")
    return styled(_("no news"), "yellow") if case_stalls(case, context) and not case.finished else "-"


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]], *, flexible: Sequence[int], width: int) -> Sequence[str]:
    texts = [[safe(cell) for cell in row] for row in rows]
    return aligned(tuple(map(_, head)), texts, flexible=flexible, width=width)


def is_never_checked(accounts: Mapping[str, ShownAccount]) -> bool:
    """Return whether no account was ever checked."""
    return all(account.state is AccountState.NEVER_READ for account in accounts.values())
