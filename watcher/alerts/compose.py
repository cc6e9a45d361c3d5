"""From what happened to the alerts it causes: routed, then put into words. Pure."""

from dataclasses import replace
from datetime import datetime

from watcher.alerts.rendering import render, summarize
from watcher.alerts.restore_note import with_restore_note
from watcher.alerts.routing import route
from watcher.model.alert import AlertContext, AlertDraft, AlertText, HoldReason, RoutedAlert
from watcher.model.writes import WriteSet
from watcher.settings import Settings


def compose(occasion: AlertContext, settings: Settings, *, now: datetime, baseline: bool = False) -> WriteSet:
    """The changes with their line of history and the alerts that they cause, one for each channel that wants to know.

    `baseline`: the first good read of a case, whose open items are an alert each. `now` is aware.
    """
    deliveries = route(occasion, settings.channels, zone=settings.timezone, now=now, baseline=baseline)
    worded: dict[tuple[tuple[int, ...], str], AlertText] = {}
    return WriteSet(
        account=occasion.account,
        case_number=occasion.changes[0].case_number,
        changes=occasion.changes,
        summaries=tuple(summarize(change, settings.language, zone=settings.timezone) for change in occasion.changes),
        drafts=tuple(AlertDraft(routed=each, text=_words(each, occasion, settings, worded)) for each in deliveries),
    )


def mark_uncertain(writes: WriteSet, settings: Settings, *, since: datetime) -> WriteSet:
    """The same news where a backup was restored, and nobody knows what was told after `since`: its alerts say so.

    Those that need not wait for something else go out together.
    """
    return replace(
        writes,
        drafts=tuple(
            AlertDraft(
                routed=replace(draft.routed, hold_reason=draft.routed.hold_reason or HoldReason.MAYBE_SENT),
                text=with_restore_note(draft.text, since=since, language=settings.language, zone=settings.timezone),
            )
            for draft in writes.drafts
        ),
    )


def _words(
    delivery: RoutedAlert,
    occasion: AlertContext,
    settings: Settings,
    worded: dict[tuple[tuple[int, ...], str], AlertText],
) -> AlertText:
    """Channels that hear the same of it at the same level of privacy hear it in the same words."""
    privacy = settings.channels[delivery.channel].privacy
    key = (delivery.changes, privacy)
    if key not in worded:
        told = replace(occasion, changes=tuple(occasion.changes[place] for place in delivery.changes))
        worded[key] = render(told, privacy=privacy, language=settings.language, zone=settings.timezone)
    return worded[key]
