"""Errors about a name or number that does not exist. Each one says what does exist."""

import re
from collections.abc import Callable, Iterable, Sequence

import click

_MAX_LISTED = 6


def suggestion(typed: str, known: Iterable[str]) -> str:
    """Return "Did you mean …?" with the most similar name, or "" if none is similar."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed only for an error

    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(typed.lower(), by_lower, n=1)
    return f"Did you mean '{by_lower[near[0]]}'?" if near else ""


def unknown_name(
    typed: str, known: Sequence[str], *, what: str, where: str, if_none: str, param_hint: str | None = None
) -> click.BadParameter:
    """Return the error for a name that is not one of `known`.

    `what` is "account", "channel"; `where` is where the names are defined; `if_none` says what to do without any name.
    """
    hint = suggestion(typed, known) or (f"{what.capitalize()}s: {listed(known)}." if known else if_none)
    return click.BadParameter(f"There is no {what} '{typed}' {where}. {hint}", param_hint=param_hint)


def unknown_account(name: str, known: Sequence[str], *, param_hint: str | None = None) -> click.BadParameter:
    """Return the error for an account that is not configured."""
    hint = "No account is set up yet; `watcher init` adds one."
    where = "in the configuration"
    return unknown_name(name, known, what="account", where=where, if_none=hint, param_hint=param_hint)


def listed(names: Sequence[str]) -> str:
    """Return the first few names in one line, and how many others there are."""
    more = f", and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return ", ".join(names[:_MAX_LISTED]) + more


def normalized(case_number: str) -> str:
    """Return a case number as compared: spaces, dashes, and upper or lower case do not matter."""
    return "".join(character for character in case_number if character.isalnum()).casefold()


def parse_number(what: str, command: str) -> Callable[[click.Context, click.Parameter, str | None], int | None]:
    """Return the parser of an argument that is the number of an item, an alert, or a letter.

    `what` is "an item number"; `command` is the one that lists them.
    """

    def parse(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
        if value is None:
            return None
        if not re.fullmatch("#?0*[1-9][0-9]{0,17}", value):
            raise click.BadParameter(f"'{value}' is not {what}. `{command}` lists them.")
        return int(value.removeprefix("#"))

    return parse
