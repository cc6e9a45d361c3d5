"""From what happened to the alerts it causes: routed, then put into words. Pure."""

from dataclasses import replace
from datetime import datetime

from watcher.alerts.rendering import render, summarize
from watcher.alerts.restore_note import perhaps_told
from watcher.alerts.routing import route
from watcher.model.alert import Delivery, Draft, Hold, Occasion, Words
from watcher.model.writes import News
from watcher.settings import Settings


def news_of(occasion: Occasion, settings: Settings, *, now: datetime, baseline: bool = False) -> News:
    """The changes with their line of history and the alerts that they cause, one for each channel that wants to know.

    `baseline`: the first good read of a case, whose open items are an alert each. `now` is aware.
    """
    deliveries = route(occasion, settings.channels, zone=settings.timezone, now=now, baseline=baseline)
    worded: dict[tuple[tuple[int, ...], str], Words] = {}
    return News(
        account=occasion.account,
        case_number=occasion.changes[0].case_number,
        changes=occasion.changes,
        summaries=tuple(summarize(change, settings.language, zone=settings.timezone) for change in occasion.changes),
        drafts=tuple(Draft(delivery=each, words=_words(each, occasion, settings, worded)) for each in deliveries),
    )


def in_doubt(news: News, settings: Settings, *, since: datetime) -> News:
    """The same news where a backup was restored, and nobody knows what was told after `since`: its alerts say so.

    Those that need not wait for something else go out together.
    """
    return replace(
        news,
        drafts=tuple(
            Draft(
                delivery=replace(draft.delivery, hold=draft.delivery.hold or Hold.PERHAPS_TOLD),
                words=perhaps_told(draft.words, since=since, language=settings.language, zone=settings.timezone),
            )
            for draft in news.drafts
        ),
    )


def _words(
    delivery: Delivery, occasion: Occasion, settings: Settings, worded: dict[tuple[tuple[int, ...], str], Words]
) -> Words:
    """Channels that hear the same of it at the same level of privacy hear it in the same words."""
    privacy = settings.channels[delivery.channel].privacy
    key = (delivery.changes, privacy)
    if key not in worded:
        told = replace(occasion, changes=tuple(occasion.changes[place] for place in delivery.changes))
        worded[key] = render(told, privacy=privacy, language=settings.language, zone=settings.timezone)
    return worded[key]
