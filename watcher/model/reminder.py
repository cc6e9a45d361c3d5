"""Reminders, and the records that prevent sending one twice."""

from dataclasses import dataclass

from watcher.model.change import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class SentReminder:
    """A record of one reminder that was sent. Stored at most once, in the same transaction as its change.

    `subject` is the key of the pending item, or `stage` for a stall. `mark` names the type of reminder (`due`,
    `start`, or `stall`) and the date that it was about, so reminders start again if the date changes.
    """

    account: str
    case_number: str
    subject: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReminder:
    """A change caused by time, the case that it concerns, and the record to store with it."""

    account: str
    case_number: str
    change: Change
    sent_reminder: SentReminder
