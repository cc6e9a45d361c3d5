"""What was told already, so that each reminder comes once."""

from dataclasses import dataclass

from watcher.model.change import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class SentReminder:
    """One thing that time brought and that was told. The store keeps each once, in the transaction of its change.

    `subject` is the key of the pending item, or `stage` for a stall. `mark` names what was told of it, and by which
    date: it begins with a word (`due`, `start` or `stall`), so that a date that moves begins anew.
    """

    account: str
    case_number: str
    subject: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReminder:
    """A change that time alone has brought, whose case it concerns, and the memory to be kept with it."""

    account: str
    case_number: str
    change: Change
    sent_reminder: SentReminder
