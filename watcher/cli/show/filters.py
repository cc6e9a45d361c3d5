"""The options that choose cases, and their errors."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from watcher.cli.names import unknown_account, unknown_name
from watcher.context.read_only import ReadOnlyContext
from watcher.messages import mark
from watcher.views.cases import Filters, is_same_person

_Command = TypeVar("_Command", bound=Callable[..., Any])


def of_account_and_person(command: _Command) -> _Command:
    """Add the options --account and --person to a command."""
    for option in (
        click.option("--person", metavar="NAME", help="Show only the cases of this person."),
        click.option("--account", metavar="NAME", help="Show only the cases of this account."),
    ):
        command = option(command)
    return command


def check_filters(filters: Filters, context: ReadOnlyContext) -> None:
    """Exit with status 2 if the account or the person does not exist."""
    accounts = list(context.settings.accounts)
    if filters.account is not None and filters.account not in accounts:
        raise unknown_account(filters.account, accounts, param_hint="--account")
    people = sorted({case.person for case in context.store.user_cases().values() if case.person})
    if filters.person is not None and not any(is_same_person(filters.person, person) for person in people):
        raise unknown_name(
            filters.person,
            people,
            problem=mark("No case belongs to '{name}'."),
            others=mark("People: {names}."),
            if_none=mark("`watcher label CASE --person NAME` says whose a case is."),
            param_hint="--person",
        )
