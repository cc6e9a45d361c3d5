"""Every case that the configuration watches, whether or not it was read yet, with what the user says about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from watcher.context.opening import watched_cases
from watcher.model.ledger import UserCase
from watcher.settings import Settings
from watcher.store import StoreReader
from watcher.text.case_numbers import normalized_number


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCase:
    """A case of an account. `form` and `last_read_at` are None before its first check; the rest is from `UserCase`."""

    account: str
    case_number: str
    form: str | None = None
    last_read_at: datetime | None = None
    label: str | None = None
    person: str | None = None
    finished: bool = False


def known_cases(store: StoreReader, settings: Settings) -> list[KnownCase]:
    """Return the stored cases that the configuration still lists, then those that it lists and no check has read."""
    stored = [
        KnownCase(
            account=case.account,
            case_number=case.case_number,
            form=case.snapshot.form if case.snapshot else None,
            last_read_at=case.last_read_at,
            label=case.label,
            person=case.person,
            finished=case.finished,
        )
        for case in watched_cases(store, settings)
    ]
    known = {(case.account, normalized_number(case.case_number)) for case in stored}
    said = store.user_cases()
    return stored + [case for case in configured_cases(settings, said) if _key(case) not in known]


def configured_cases(settings: Settings, said: dict[str, UserCase]) -> Iterator[KnownCase]:
    """Yield the cases that the configuration lists. `said` is what the user says about cases, by normalized number."""
    for name, account in settings.accounts.items():
        for number in account.cases:
            case = said.get(normalized_number(number)) or UserCase(number=number)
            yield KnownCase(
                account=name,
                case_number=number,
                label=case.label,
                person=case.person,
                finished=case.finished_at is not None,
            )


def _key(case: KnownCase) -> tuple[str, str]:
    return case.account, normalized_number(case.case_number)
