"""Turn changes into alerts: route them, then write their text. Pure."""

from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from watcher.alerts.change_facts import is_for_client
from watcher.alerts.coverage import received_by
from watcher.alerts.rendering import render, summarize
from watcher.alerts.restore_note import with_restore_note
from watcher.alerts.routing import route
from watcher.model.alert import AlertContext, AlertDraft, AlertText, HoldReason, RoutedAlert
from watcher.model.change import Change
from watcher.model.writes import WriteSet
from watcher.settings import Settings

_Texts: TypeAlias = dict[tuple[tuple[int, ...], str, str, str, str], AlertText]


def compose(context: AlertContext, settings: Settings, *, now: datetime, baseline: bool = False) -> WriteSet:
    """Return the changes, their lines for the history, and their alerts for each interested channel.

    `baseline`: the first successful check of a case; each open item is an alert. `now` is aware. A channel is not told
    about itself.
    """
    routes = route(context, settings.channels, zone=settings.timezone, now=now, baseline=baseline)
    zone, office_zone = settings.timezone, settings.office_zone(context.account)
    texts: _Texts = {}
    return WriteSet(
        account=context.account,
        case_number=context.changes[0].case_number,
        changes=context.changes,
        summaries=tuple(
            summarize(change, settings.language, zone=zone, office_zone=office_zone, agency=context.agency)
            for change in context.changes
        ),
        drafts=tuple(AlertDraft(routed=routed, text=_text(routed, context, settings, texts)) for routed in routes),
    )


def mark_uncertain(writes: WriteSet, settings: Settings, *, since: datetime) -> WriteSet:
    """Add a note that the alerts may have been sent before, because a restored backup ends at `since`.

    Alerts that are not held for another reason and not urgent are sent as one message per channel.
    """
    return replace(
        writes,
        drafts=tuple(
            AlertDraft(
                routed=replace(draft.routed, hold_reason=draft.routed.hold_reason or HoldReason.MAYBE_SENT),
                text=with_restore_note(
                    draft.text,
                    since=since,
                    language=settings.language_of(draft.routed.channel),
                    zone=settings.timezone,
                ),
            )
            for draft in writes.drafts
        ),
    )


def _text(routed: RoutedAlert, context: AlertContext, settings: Settings, texts: _Texts) -> AlertText:
    """Return the text, rendered once for all channels with the same changes, privacy, language, and detail."""
    channel, language = settings.channels[routed.channel], settings.language_of(routed.channel)
    privacy, detail = channel.privacy, channel.text_detail
    selected = tuple(context.changes[index] for index in routed.changes)
    received = tuple(
        change for change in (received_by(channel, one, context, settings.channels) for one in selected) if change
    )
    key = (routed.changes, "" if received == selected else repr(received), privacy, language, detail)
    if key not in texts:
        texts[key] = render(
            _of_client(context, received) if any(map(is_for_client, received)) else replace(context, changes=received),
            privacy=privacy,
            language=language,
            zone=settings.timezone,
            office_zone=settings.office_zone(context.account),
            detail=detail,
            page=settings.web.url,
        )
    return texts[key]


def _of_client(context: AlertContext, received: tuple[Change, ...]) -> AlertContext:
    """Return the context of an alert about an account for a channel that is only for some of its cases."""
    number = received[0].case_number
    case = next((case for case in context.account_cases if case.number == number), None)
    return replace(
        context,
        changes=received,
        account="",
        label=case.label if case else None,
        person=case.person if case else None,
    )
