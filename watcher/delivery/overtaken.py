"""Which alerts are outdated because newer ones about the same matters were sent before them. Pure.

An alert can be sent after newer ones about its case: it was held, combined with others, refused for a while, or given
up and taken up again by the user. What it says about a matter (an item, the stage, the health of the account) is
outdated if a newer alert that was sent speaks of that matter, because that one states how it is now.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from watcher.delivery.superseded import ChangeFact, ChannelAlert, concern_one_matter
from watcher.model.change import ChangeKind

_ACCOUNT_HEALTH = frozenset(
    {
        ChangeKind.SIGN_IN_REJECTED,
        ChangeKind.ACCOUNT_LOCKED,
        ChangeKind.MFA_NEEDED,
        ChangeKind.SESSION_ENDED,
        ChangeKind.PORTAL_UNREADABLE,
        ChangeKind.BLIND,
        ChangeKind.CHANNEL_FAILING,
        ChangeKind.LIST_FAILING,
        ChangeKind.RECOVERED,
    }
)
_RESTATES_ONLY: Mapping[ChangeKind, Collection[ChangeKind]] = {
    ChangeKind.DEADLINE_NEAR: {ChangeKind.DEADLINE_NEAR},
    ChangeKind.DEADLINE_PASSED: {ChangeKind.DEADLINE_NEAR, ChangeKind.DEADLINE_PASSED},
    ChangeKind.STALLED: {ChangeKind.STALLED},
    ChangeKind.NOTICE_CHANGED: {ChangeKind.NOTICE_CHANGED, ChangeKind.NOTICE_REMOVED},
    ChangeKind.HISTORY_CHANGED: {ChangeKind.HISTORY_CHANGED, ChangeKind.HISTORY_REMOVED},
}
"""A reminder, for example, does not make untrue that the item was added."""

_STATUS = frozenset({ChangeKind.STAGE_CHANGED, ChangeKind.STATUS_CHANGED})
_FIRST_STATUS = frozenset({ChangeKind.CASE_ADDED, ChangeKind.CASE_NOT_FOUND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken:
    """The newest alert that was sent before an older one about the same matter. `entirely`: none of it is left."""

    by: int
    entirely: bool


def overtaken(alert: ChannelAlert, sent: Iterable[ChannelAlert]) -> Overtaken | None:
    """Return how newer alerts that the channel has accepted make this one outdated, if they do.

    A held alert is outdated entirely only by alerts that are not less severe.
    """
    newer = [other for other in sent if other.id > alert.id]
    outdated = {fact: max(_restating(fact, newer), default=0) for fact in alert.facts}
    if not any(outdated.values()):
        return None
    by = max(outdated.values())
    severe = alert.hold_reason is None or alert.severity.rank <= max(
        other.severity.rank for other in newer if other.id in outdated.values()
    )
    return Overtaken(by=by, entirely=severe and all(outdated.values()))


def _restating(old: ChangeFact, newer: Iterable[ChannelAlert]) -> list[int]:
    return [alert.id for alert in newer if any(_restates(new, old) for new in alert.facts)]


def _restates(new: ChangeFact, old: ChangeFact) -> bool:
    if old.kind in _FIRST_STATUS and (new.account, new.case_number) == (old.account, old.case_number):
        return new.kind in _STATUS or new.kind in _FIRST_STATUS
    if not concern_one_matter(new, old):
        return False
    if old.kind in _ACCOUNT_HEALTH:
        return new.kind is old.kind or ChangeKind.RECOVERED in {new.kind, old.kind}
    if new.kind in _RESTATES_ONLY:
        return old.kind in _RESTATES_ONLY[new.kind]
    return old.topic is not None or new.kind is old.kind
