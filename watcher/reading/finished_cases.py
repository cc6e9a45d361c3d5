"""Cases that the user has finished: no check requests them, and nothing is reported about them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from watcher.model.account_health import AccountHealth, after_read
from watcher.settings import AccountSettings
from watcher.store import StoreReader
from watcher.text.case_numbers import normalized_number


class FinishedCases:
    """The finished cases of all accounts, as of the start of a check."""

    def __init__(self, store: StoreReader) -> None:
        """Load them."""
        self._numbers = store.finished_numbers()

    def include(self, case_number: str) -> bool:
        """Return whether the case with this number is finished."""
        return bool(self._numbers) and normalized_number(case_number) in self._numbers

    def among(self, case_numbers: Iterable[str]) -> frozenset[str]:
        """Return which of these numbers are of finished cases."""
        return frozenset(filter(self.include, case_numbers))

    def are_all_of(self, account: AccountSettings) -> bool:
        """Return whether the account has a list of cases, and all of them are finished."""
        return bool(account.cases) and all(map(self.include, account.cases))


def health_at_rest(health: AccountHealth, *, now: datetime) -> AccountHealth:
    """Return the health of an account that is well because nothing needs a check: no problem is reported as over."""
    return after_read(health, (), now=now, blind_after=timedelta(), cases_read=0)[0]
