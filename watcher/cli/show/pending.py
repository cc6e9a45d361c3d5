"""`watcher pending`: open items and their dates, from the database alone."""

from pathlib import Path

import click

from watcher.cli.context import read_only_context
from watcher.cli.options import CONFIG, JSON
from watcher.cli.show.filters import check_filters, of_account_and_person
from watcher.cli.show.item_texts import due_or_start, explain_marks
from watcher.cli.terminal.output import print_json, print_line, print_table, screen_width
from watcher.export.json_documents import item_document
from watcher.messages import _, mark
from watcher.views.cases import Filters, day_of, name_of, pending_items
from watcher.views.items import task_text

_HEAD = (mark("ITEM"), mark("WHEN"), mark("CASE"), mark("WHAT"), mark("TITLE"))
_WIDTH_WITH_TITLE = 100


@click.command("pending")
@CONFIG
@JSON
@of_account_and_person
def pending_command(config: Path | None, account: str | None, person: str | None, *, as_json: bool) -> None:
    """List open requests, appointments, and fees with their dates, soonest first.

    `watcher done ITEM` ends the reminders for one; `watcher due ITEM DATE` enters the date from your letter.
    """
    filters = Filters(account=account, person=person)
    with read_only_context(config) as context:
        check_filters(filters, context)
        cases = filters.apply(context.watched_cases(), context)
        items = [(case, item) for case in cases for item in pending_items(case)]
        items.sort(key=lambda entry: (day_of(entry[1], context.settings), entry[1].first_seen_at))
        if as_json:
            print_json({"pending": [item_document(item, with_case=True) for _case, item in items]})
            return
        is_wide = screen_width() >= _WIDTH_WITH_TITLE
        rows = [
            (str(item.id), due_or_start(item, context), name_of(case), task_text(item), item.item.title)
            for case, item in items
        ]
        columns = len(_HEAD) if is_wide else len(_HEAD) - 1
        print_table(tuple(map(_, _HEAD[:columns])), [row[:columns] for row in rows], flexible=range(2, columns))
        explain_marks(item for _case, item in items)
        if not rows:
            print_line(_("Nothing is open."))
