"""Errors about a name or number that does not exist. Each one says what does exist."""

import re
from collections.abc import Callable, Iterable, Sequence

import click

from watcher.messages import _, mark, plural

_MAX_LISTED = 6


def suggestion(typed: str, known: Iterable[str]) -> str:
    """Return "Did you mean …?" with the most similar name, or "" if none is similar."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed only for an error

    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(typed.lower(), by_lower, n=1)
    return _("Did you mean '{name}'?", name=by_lower[near[0]]) if near else ""


def unknown_name(
    typed: str, known: Sequence[str], *, problem: str, others: str, if_none: str, param_hint: str | None = None
) -> click.BadParameter:
    """Return the error for a name that is not one of `known`.

    All are sentences to be translated: `problem` with the field {name}, `others` with the field {names} for those that
    exist, and `if_none`, which says what to do if none exists.
    """
    hint = suggestion(typed, known) or (_(others, names=listed(known)) if known else _(if_none))
    return click.BadParameter(f"{_(problem, name=typed)} {hint}", param_hint=param_hint)


def unknown_account(name: str, known: Sequence[str], *, param_hint: str | None = None) -> click.BadParameter:
    """Return the error for an account that is not configured."""
    return unknown_name(
        name,
        known,
        problem=mark("There is no account '{name}' in the configuration."),
        others=mark("Accounts: {names}."),
        if_none=mark("No account is set up yet; `watcher init` adds one."),
        param_hint=param_hint,
    )


def listed(names: Sequence[str]) -> str:
    """Return the first few names in one line, and how many others there are."""
    first, left_out = ", ".join(names[:_MAX_LISTED]), len(names) - _MAX_LISTED
    return first if left_out <= 0 else plural("{names}, and {n} more", "{names}, and {n} more", left_out, names=first)


def parse_number(problem: str) -> Callable[[click.Context, click.Parameter, str | None], int | None]:
    """Return the parser of an argument that is the number of an item, an alert, or a letter.

    `problem` is the error for anything else, to be translated, with the field {typed}. It says what lists the numbers.
    """

    def parse(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
        if value is None:
            return None
        if not re.fullmatch("#?0*[1-9][0-9]{0,17}", value):
            raise click.BadParameter(_(problem, typed=value))
        return int(value.removeprefix("#"))

    return parse
