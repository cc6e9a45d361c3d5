"""Sending of one message to its channel, and what is recorded about it.

Only alerts that could be claimed are sent. Targets of the channel that have accepted the message do not get it again.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from watcher.alerts.digest import MAX_CHAT_BYTES, MAX_FULL_ALERTS, render_batch, render_digest
from watcher.alerts.text_blocks import prepend_note
from watcher.clock import Clock
from watcher.context.device_channels import end_target
from watcher.context.opening import saved_values
from watcher.delivery.alert_link import with_link
from watcher.delivery.apprise_notifier import Notifier
from watcher.delivery.attachments import Attachments, notices_of, select_attachments, with_missing_letter_note
from watcher.delivery.message_order import COMBINED_REASONS, Message, attempts_of
from watcher.delivery.message_traits import Traits
from watcher.delivery.retry import is_exhausted, message_delay
from watcher.errors import DeliveryFailed
from watcher.language.catalogue import load_catalogue
from watcher.model.alert import AlertText
from watcher.portals import find
from watcher.settings import ChannelSettings, Settings
from watcher.settings.email_services import is_email
from watcher.store import MAX_REST, HeldLock, QueuedAlert, Store

_RANDOM = random.SystemRandom()
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSender:
    """Sends the messages of one delivery to a channel. `claimant` is the delivery's name, `held` the channel's lock."""

    store: Store
    notifier: Notifier
    clock: Clock
    settings: Settings
    channel: ChannelSettings
    claimant: str
    held: HeldLock

    @property
    def language(self) -> str:
        """The language of the channel's alerts."""
        return self.settings.language_of(self.channel.name)

    def claim(self, message: Message) -> Message:
        """Return the alerts of the message that still are to be sent, and that no other delivery is sending.

        Raises `LockLost` if another delivery may have begun.
        """
        self.held.verify()
        claimed = set(self.store.outbox.claim(ids_of(message), self.claimant, self.clock.now()))
        return [queued for queued in message if queued.alert.id in claimed]

    def send(self, message: Message, late: Collection[int]) -> DeliveryFailed | None:
        """Send a claimed message and record the result. Return why it was not accepted, or None.

        `late` are the alerts of which newer ones that were sent say more: their text says so.
        """
        try:
            self._notify(message, late)
        except DeliveryFailed as error:
            self.record_failure(message, error)
            return error
        self.store.outbox.mark_sent(ids_of(message), self.clock.now())
        _log.info("alert_sent", channel=self.channel.name, alerts=ids_of(message))
        return None

    def record_failure(self, message: Message, error: DeliveryFailed) -> None:
        """Schedule another attempt, or give up: at once after a permanent error, else after a week of attempts."""
        if not message:
            return
        now = self.clock.now()
        if error.gone:
            end_target(self.store, self.settings, self.channel.name, now=now)
            _log.warning("device_gone", channel=self.channel.name)
        rest = error.retry_after
        delay = message_delay(attempts_of(message)) * jitter()
        retry_at = now + (delay if rest is None else min(max(rest, delay), MAX_REST))
        given_up: list[QueuedAlert] = []
        retried: list[QueuedAlert] = []
        for queued in message:
            is_over = error.permanent or has_failed_long_enough(queued, now)
            (given_up if is_over else retried).append(queued)
        for alerts, next_attempt_at in ((given_up, None), (retried, retry_at)):
            if alerts:
                self.store.outbox.mark_failed(
                    ids_of(alerts),
                    str(error),
                    now=now,
                    next_attempt_at=next_attempt_at,
                    claimant=self.claimant,
                    accepted_by=error.accepted_by,
                    service_rests_until=None if rest is None or error.accepted_by else retry_at,
                )
                _log.warning(
                    "alert_not_sent",
                    channel=self.channel.name,
                    alerts=ids_of(alerts),
                    reason=str(error),
                    given_up=next_attempt_at is None,
                )

    def _notify(self, message: Message, late: Collection[int]) -> None:
        text, attachments = self._text(message, late), self._attachments(message)
        if attachments.has_missing:
            text = with_missing_letter_note(text, language=self.language)
        text, link = with_link(text, message[0].alert, self.store, saved_values(self.store, self.settings))
        self.notifier.send(
            self.channel.url,
            title=text.title,
            body=text.body,
            html=text.html,
            short=text.short,
            attachments=attachments.files,
            accepted_by=message[0].accepted_by,
            traits=self._traits(message, link),
        )

    def _traits(self, message: Message, link: str) -> Traits:
        """Return what the message is about. A channel with `minimal` privacy learns only its severity.

        `link` is its link to the page, if it has one.
        """
        severity = max((queued.alert.severity for queued in message), key=lambda severity: severity.rank)
        label = load_catalogue(self.language).message("general", "seen")
        on_page = Traits(severity=severity, link=link, seen=link and f"{link}/seen", seen_label=link and label)
        if self.channel.privacy == "minimal":
            return on_page
        changes = [change.change for queued in message for change in queued.changes]
        lead = max(changes, key=lambda change: change.severity.rank, default=None)
        subjects = {(queued.account, queued.case_number) for queued in message}
        account, number = next(iter(subjects)) if len(subjects) == 1 else ("", None)
        return replace(
            on_page,
            tag=lead.kind.value if lead else "",
            link=link or self._link({queued.account for queued in message}),
            thread=f"{account} {number or ''}" if account else "",
        )

    def _link(self, accounts: Collection[str]) -> str:
        """Return the official site of the only account, "" if there are several or it is no longer configured."""
        account = self.settings.accounts.get(next(iter(accounts))) if len(accounts) == 1 else None
        return find(account.portal).links(account).sign_in if account else ""

    def _text(self, message: Message, late: Collection[int]) -> AlertText:
        """Return the text of the alert, of a digest, or of a batch that lists and counts alerts."""
        language = self.language
        stored = self.store.outbox.texts(ids_of(message[:MAX_FULL_ALERTS]))
        texts = [
            _text_of(queued, stored.get(queued.alert.id), is_late=queued.alert.id in late, language=language)
            for queued in message
        ]
        limit = None if is_email(self.channel.url) else MAX_CHAT_BYTES
        if message[0].hold_reason in COMBINED_REASONS:
            return render_digest(texts, language=language, max_bytes=limit)
        return render_batch(texts, language=language, max_bytes=limit)

    def _attachments(self, message: Message) -> Attachments:
        """Return the saved letters that the message is about, if the channel attaches letters."""
        if not self.channel.attach_notices:
            return Attachments()
        letters = notices_of(message, self.store.notices())
        return select_attachments(
            letters,
            self.channel,
            self.settings.state_dir,
            can_attach=bool(letters) and self.notifier.can_attach(self.channel.url),
            attempts=attempts_of(message),
        )


def ids_of(message: Message) -> list[int]:
    """Return the numbers of the alerts of a message."""
    return [queued.alert.id for queued in message]


def has_failed_long_enough(queued: QueuedAlert, now: datetime) -> bool:
    """Return whether to give up on an alert."""
    return is_exhausted(queued.alert.first_attempt_at, queued.alert.attempts, now)


def jitter() -> float:
    """Return a random factor that spreads the attempts of several daemons."""
    return _RANDOM.uniform(1, 1.2)


def _text_of(queued: QueuedAlert, stored: AlertText | None, *, is_late: bool, language: str) -> AlertText:
    """Return the text of an alert; only its title if it is one of many."""
    text = stored or AlertText(title=queued.alert.title, body="", html="", short="")
    return prepend_note(text, load_catalogue(language).message("general", "late")) if is_late else text
