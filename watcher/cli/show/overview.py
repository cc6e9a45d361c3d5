"""The overview of `watcher status`: what needs the user first, then all cases by person, the most urgent first."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from watcher.cli.show.accounts import print_needed_sign_ins
from watcher.cli.show.item_texts import date_text, explain_marks
from watcher.cli.terminal.output import print_line, print_paragraph, safe, screen_width, styled
from watcher.cli.terminal.tables import aligned
from watcher.context.read_only import ReadOnlyContext
from watcher.messages import _, mark
from watcher.model.ledger import TrackedCase, TrackedItem
from watcher.views.accounts import ShownAccount
from watcher.views.cases import (
    case_stalls,
    groups_of,
    missing_cases,
    missing_text,
    name_of,
    needed_items,
    needs_user,
    stage_name,
    status_day,
    status_of,
    today_at,
)
from watcher.views.items import task_text

_NEEDS_HEAD = (mark("ITEM"), mark("WHEN"), mark("CASE"), mark("WHAT"))
_CASE_HEAD = (mark("CASE"), mark("NUMBER"), mark("STATUS"), mark("SINCE"), mark("NOTE"), mark("STAGE"))
_WIDTH_WITH_STAGE = 100
_INDENT = "  "


def print_needs(cases: Sequence[TrackedCase], accounts: Mapping[str, ShownAccount], context: ReadOnlyContext) -> None:
    """Print what needs the user: accounts to sign in to, cases that are not found, and open items, soonest first."""
    todo, missing = needed_items(cases, context), missing_cases(cases)
    waiting = any(account.state.waits_for_person for account in accounts.values())
    if not todo and not missing and not waiting:
        return
    print_line(_("Needs you"), bold=True)
    print_needed_sign_ins(accounts)
    for case in missing:
        print_paragraph(missing_text(case, context), color="red")
    _print_items(todo, context)
    print_line()


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
    groups = groups_of(cases, context)
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


def _row(case: TrackedCase, context: ReadOnlyContext) -> tuple[str, ...]:
    snapshot = case.snapshot
    name = name_of(case) if case.finished else case.label or (snapshot.form if snapshot else None) or "-"
    stage = stage_name(snapshot.stage) if snapshot else ""
    return name, case.case_number, status_of(case), str(status_day(case) or "-"), _note(case, context), stage


def _note(case: TrackedCase, context: ReadOnlyContext) -> str:
    if case.is_missing and not case.finished:
        return styled(_("not found"), "red")
    if needs_user(case, today_at(case.account, context)):
        return styled(_("needs you"), "red")
    return styled(_("no news"), "yellow") if case_stalls(case, context) and not case.finished else "-"


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]], *, flexible: Sequence[int], width: int) -> Sequence[str]:
    texts = [[safe(cell) for cell in row] for row in rows]
    return aligned(tuple(map(_, head)), texts, flexible=flexible, width=width)
