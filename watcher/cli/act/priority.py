"""`watcher priority`: the priority date that the visa bulletin is compared with."""

from datetime import date
from pathlib import Path

import click

from watcher.actions.cases import described_case
from watcher.app import App
from watcher.cli.case_argument import known_case
from watcher.cli.context import open_context
from watcher.cli.options import CONFIG, parse_date
from watcher.cli.terminal.output import print_line, print_paragraph
from watcher.context.known_cases import KnownCase
from watcher.context.reference_lists import load_lists
from watcher.messages import _
from watcher.model.priority import CATEGORIES, Priority, category_of, country_of
from watcher.views.published_lists import place_sentences, priority_text

_EARLIEST = date(1970, 1, 1)
_EB5 = "EB5_UNRESERVED, EB5_RURAL, EB5_HIGH_UNEMPLOYMENT, EB5_INFRASTRUCTURE"


@click.command("priority")
@CONFIG
@click.option("--category", metavar="C", help="The category, such as F2A or EB2.")
@click.option("--country", metavar="CC", help="The country of chargeability, two letters, such as IN.")
@click.option("--date", "day", metavar="DATE", help="The priority date on the approval or receipt notice, YYYY-MM-DD.")
@click.option("--clear", is_flag=True, help="Forget the priority date of CASE.")
@click.argument("case")
def priority_command(
    config: Path | None, case: str, category: str | None, country: str | None, day: str | None, *, clear: bool
) -> None:
    """Set the priority date of CASE, which the visa bulletin is compared with.

    You get an alert when it becomes current, and when it goes back. The country is usually that of birth, not that of
    nationality. The bulletin is read from `visa_bulletin` in the section [reference] of the configuration.

    Example: watcher priority IOE0000000001 --category EB2 --country IN --date 2014-01-15
    """
    if clear and (category or country or day):
        raise click.UsageError(_("Enter --clear alone, or --category, --country, and --date."))
    if not clear and not (category and country and day):
        raise click.UsageError(_("Enter --category, --country, and --date, or --clear."))
    with open_context(config) as app:
        known = known_case(app, case)
        priority = None if clear else _priority(app, category or "", country or "", day or "")
        app.store.user.set_priority(known.case_number, priority)
        _print(app, known, priority)


def _priority(app: App, category: str, country: str, day: str) -> Priority:
    found, code = category_of(category), country_of(country)
    if found is None:
        problem = _(
            "'{typed}' is not a category of the visa bulletin. Categories: {names}.",
            typed=category,
            names=", ".join((*CATEGORIES, _EB5)),
        )
        raise click.BadParameter(problem, param_hint="--category")
    if code is None:
        problem = _("'{typed}' is not a country. Use two letters, such as IN, or ROW for all others.", typed=country)
        raise click.BadParameter(problem, param_hint="--country")
    try:
        priority_day = parse_date(day)
    except click.BadParameter as error:
        raise click.BadParameter(error.message, param_hint="--date") from None
    if not _EARLIEST <= priority_day <= app.clock.now().astimezone(app.settings.timezone).date():
        problem = _("{day} cannot be a priority date. Check the year.", day=priority_day)
        raise click.BadParameter(problem, param_hint="--date")
    return Priority(category=found, country=code, day=priority_day)


def _print(app: App, known: KnownCase, priority: Priority | None) -> None:
    described = described_case(known)
    if priority is None:
        print_line(_("{case} has no priority date.", case=described))
        return
    print_line(_("{case}: priority date {priority}.", case=described, priority=priority_text(priority)))
    now = app.clock.now()
    lists = load_lists(app.store, app.settings, now)
    if app.settings.reference.visa_bulletin is None:
        print_paragraph(_("Name the visa bulletin in the section [reference] of the configuration, to compare it."))
    elif lists.bulletin is None:
        print_paragraph(_("The visa bulletin has not been read yet. `watcher status` shows the result later."))
    else:
        place = lists.bulletin.place(priority, now.astimezone(app.settings.timezone).date())
        for heading, sentence in place_sentences(place):
            print_paragraph(f"{heading}: {sentence}")
