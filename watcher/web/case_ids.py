"""Ids of cases in addresses. They are not case numbers, because addresses are in the logs of proxies."""

import hashlib
from collections.abc import Iterable

from watcher.model.ledger import TrackedCase
from watcher.text.case_numbers import normalized_number

_LENGTH = 16


def case_id(case_number: str) -> str:
    """Return the id of the case with this number, in whichever account."""
    digest = hashlib.blake2b(normalized_number(case_number).encode(), digest_size=_LENGTH // 2, person=b"case id")
    return digest.hexdigest()


def find_cases(cases: Iterable[TrackedCase], wanted: str) -> list[TrackedCase]:
    """Return the cases with this id: one for each account that shows the case."""
    return [case for case in cases if case_id(case.case_number) == wanted]
