"""The argument CASE of commands: the number of a case, or its label. Also how commands name a case."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import click

from watcher.cli.names import listed, suggestion
from watcher.context.known_cases import KnownCase, configured_cases, known_cases
from watcher.messages import _
from watcher.model.ledger import UserCase
from watcher.settings import Settings
from watcher.store import StoreReader
from watcher.text.case_numbers import normalized_number
from watcher.text.person_names import normalized_name


class Opened(Protocol):
    """A configuration and its database, for reading or for writing."""

    @property
    def store(self) -> StoreReader:
        """The database."""
        ...

    @property
    def settings(self) -> Settings:
        """The configuration."""
        ...


def case_number(opened: Opened, typed: str) -> str:
    """Return the number of a stored case as it is stored. Spaces, dashes, and upper or lower case do not matter."""
    stored, said = opened.store.case_numbers(), opened.store.user_cases()
    if (number := find_number(typed, stored, said)) is not None:
        return number
    configured = [case.case_number for case in configured_cases(opened.settings, said)]
    if find_number(typed, configured, said) is not None:
        problem = _("Case {typed} has not been checked yet. `watcher check` checks it.", typed=typed)
        raise click.BadParameter(problem, param_hint="CASE")
    raise _not_watched(typed, [*stored, *configured], said)


def known_case(opened: Opened, typed: str) -> KnownCase:
    """Return a case that is watched or finished, also before its first check; of several accounts, the first."""
    known, said = known_cases(opened.store, opened.settings), opened.store.user_cases()
    numbers = [case.case_number for case in known]
    number = find_number(typed, numbers, said)
    if number is None:
        raise _not_watched(typed, numbers, said)
    return next(case for case in known if case.case_number == number)


def find_number(typed: str, numbers: Iterable[str], said: Mapping[str, UserCase]) -> str | None:
    """Return which of the numbers, or the labels of these cases, was typed; None if none was.

    Exit with status 2 if several cases have the label.
    """
    by_normalized = {normalized_number(number): number for number in reversed(list(numbers))}
    if (number := by_normalized.get(normalized_number(typed))) is not None:
        return number
    label = normalized_name(typed)
    matches = [number for key, number in by_normalized.items() if key in said and _has_label(said[key], label)]
    if len(matches) > 1:
        numbers_text = listed(sorted(matches))
        problem = _(
            "Several cases have the label '{label}': {numbers}. Enter the number.", label=typed, numbers=numbers_text
        )
        raise click.BadParameter(problem, param_hint="CASE")
    return matches[0] if matches else None


def name_of_case(number: str, said: Mapping[str, UserCase]) -> str:
    """Return the label of a case, or its number if it has none, for tables."""
    case = said.get(normalized_number(number))
    return (case and case.label) or number


def _has_label(case: UserCase, label: str) -> bool:
    return bool(label) and case.label is not None and normalized_name(case.label) == label


def _not_watched(typed: str, known: Iterable[str], said: Mapping[str, UserCase]) -> click.BadParameter:
    numbers = list(dict.fromkeys(known))
    watched = _("Watched: {numbers}.", numbers=listed(numbers)) if numbers else _("No case is being watched yet.")
    labels = [case.label for case in said.values() if case.label]
    hint = suggestion(typed, [*numbers, *labels]) or watched
    problem = _("Case {typed} is not being watched.", typed=typed)
    return click.BadParameter(f"{problem} {hint}", param_hint="CASE")
