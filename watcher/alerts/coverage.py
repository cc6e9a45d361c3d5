"""Which changes a channel receives at all: those of its accounts, cases, and people. Pure.

A channel with `cases` or `people` is for somebody who follows these cases and cannot repair an account. It receives
nothing else. Of an account it learns only that checks of its cases fail (`blind`, or a part of the account that fails
for long) and work again, and never why, because the reason may name another case. What asks somebody to act on an
account, or on the program, goes to the other channels. If none of these is for the account, everybody with a case in
it is asked, so that no account fails silently.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from watcher.alerts.change_facts import FOR_CLIENT, is_for_client, object_of
from watcher.model.alert import AlertContext
from watcher.model.change import Change, ChangeKind
from watcher.settings import ChannelSettings
from watcher.text.case_numbers import normalized_number
from watcher.text.person_names import normalized_name

REQUESTS = frozenset(
    {
        ChangeKind.SIGN_IN_REJECTED,
        ChangeKind.ACCOUNT_LOCKED,
        ChangeKind.MFA_NEEDED,
        ChangeKind.SESSION_ENDED,
        ChangeKind.PORTAL_UNREADABLE,
        ChangeKind.LOOK_REMINDER,
        ChangeKind.OFFICIAL_MAIL,
        ChangeKind.CHANNEL_FAILING,
        ChangeKind.LIST_FAILING,
    }
)
"""Changes that ask somebody to act on an account or on the program."""

_WITHOUT_REASON = frozenset({ChangeKind.BLIND, ChangeKind.PORTAL_UNREADABLE})


def is_limited(channel: ChannelSettings) -> bool:
    """Return whether the channel is only for some cases or people."""
    return bool(channel.cases or channel.people)


def covers(channel: ChannelSettings, account: str, case_number: str, person: str | None) -> bool:
    """Return whether the channel is for this case, which belongs to `person`."""
    return (
        is_for_account(channel, account)
        and (not channel.cases or normalized_number(case_number) in _numbers(channel.cases))
        and (not channel.people or normalized_name(person or "") in _names(channel.people))
    )


def is_for_account(channel: ChannelSettings, account: str) -> bool:
    """Return whether the channel is for this account, or some of its cases. "" stands for the program itself."""
    return not channel.accounts or account in {"", *channel.accounts}


def has_operator(channels: Iterable[ChannelSettings], account: str, kind: ChangeKind) -> bool:
    """Return whether a channel for all cases of the account receives changes of this kind."""
    return any(
        not is_limited(channel)
        and not channel.escalate_after
        and is_for_account(channel, account)
        and (not channel.kinds or kind in channel.kinds)
        for channel in channels
    )


def received_by(
    channel: ChannelSettings, change: Change, context: AlertContext, channels: Mapping[str, ChannelSettings]
) -> Change | None:
    """Return the change as the channel receives it, whatever its kind and severity; None if it does not.

    One about an account names the channel's case, if there is one in the account. `channels` are all channels of the
    configuration.
    """
    if not is_for_account(channel, context.account):
        return None
    if not is_limited(channel):
        return change
    if change.case_number is None:
        return _without_case(channel, change, context, channels)
    if not covers(channel, context.account, change.case_number, context.person):
        return None
    return _about_account(channel, change, context.account, channels) if change.kind in REQUESTS else change


def _without_case(
    channel: ChannelSettings, change: Change, context: AlertContext, channels: Mapping[str, ChannelSettings]
) -> Change | None:
    """Return a change about an account, or about the program, as a channel for some cases receives it."""
    covered = [case for case in context.account_cases if covers(channel, context.account, case.number, case.person)]
    if context.account and not covered:
        return None
    if _is_about_a_part(change):
        covered = [case for case in covered if case.number in context.unread]
    received = _about_account(channel, change, context.account, channels, is_unread=bool(covered))
    if received is not None and is_for_client(received) and len(covered) == 1:
        return replace(received, case_number=covered[0].number)
    return received


def _is_about_a_part(change: Change) -> bool:
    """Return whether only a part of the account failed, so that the other cases were read."""
    new = object_of(change.new)
    if change.kind is ChangeKind.RECOVERED:
        return new.get("after") == ChangeKind.PORTAL_UNREADABLE
    return change.kind is ChangeKind.PORTAL_UNREADABLE and bool(new.get("partly"))


def _about_account(
    channel: ChannelSettings,
    change: Change,
    account: str,
    channels: Mapping[str, ChannelSettings],
    *,
    is_unread: bool = False,
) -> Change | None:
    """Return what a channel for some cases receives about their account, or about the program.

    `is_unread`: if a part of the account fails, a case of the channel is in it.
    """

    def asks(kind: ChangeKind) -> bool:
        return kind in channel.kinds or not has_operator(channels.values(), account, kind)

    if change.kind is ChangeKind.RECOVERED:
        after, was_blind = (object_of(change.new).get(key) for key in ("after", "was_blind"))
        if after in set(ChangeKind) and asks(ChangeKind(after)):
            return change
        heard_of_it = was_blind or after == ChangeKind.BLIND or (is_unread and _is_about_a_part(change))
        return _with(change, after=ChangeKind.BLIND.value, **{FOR_CLIENT: True}) if heard_of_it else None
    if change.kind not in REQUESTS | {ChangeKind.BLIND} or asks(change.kind):
        return _without_reason(change)
    if change.kind is ChangeKind.BLIND or (is_unread and _is_about_a_part(change)):
        return replace(_with(change, reason=None, attempts=None, **{FOR_CLIENT: True}), kind=ChangeKind.BLIND)
    return None


def _without_reason(change: Change) -> Change:
    return _with(change, reason=None) if change.kind in _WITHOUT_REASON else change


def _with(change: Change, **values: Any) -> Change:
    return replace(change, new={**object_of(change.new), **values})


@lru_cache(maxsize=256)
def _numbers(numbers: frozenset[str]) -> frozenset[str]:
    return frozenset(map(normalized_number, numbers))


@lru_cache(maxsize=256)
def _names(names: frozenset[str]) -> frozenset[str]:
    return frozenset(map(normalized_name, names))
