"""Read a mailbox of official mails: judge what has arrived, then check the accounts or ask their people to look."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from watcher.clock.timestamps import utc_text
from watcher.context.context import Context
from watcher.errors import PortalUnavailable, SignInRejected
from watcher.messages import _
from watcher.model.account_health import ReadResult
from watcher.model.change import Change, ChangeKind, Json, severity_of
from watcher.model.reminder import SentReminder
from watcher.official_mail.client import Mail, open_mailbox
from watcher.official_mail.judge import MailKind, judge, recipients_of
from watcher.official_mail.mailboxes import OfficialMailbox
from watcher.official_mail.proof import Lookup
from watcher.official_mail.state import MailboxState, decode, encode
from watcher.sign_in.imap import CONNECTION_ERRORS, MailboxRefused, PasswordRefused, TemporarilyRefused
from watcher.sign_in.shared_mailbox import PasswordGuard
from watcher.sign_in.shared_value import SharedValue

_SUBJECT: Final = "mail"
_NEWEST: Final = 20
"""Mails that are looked at in one go. There are more only after a long time off, and each says the same: look."""

_SECONDS: Final = 120.0
_WAIT: Final = 60.0
_ONE_EVENT: Final = timedelta(minutes=30)
"""Mails about several cases of an account that arrive within this time make one alert."""

_CLOCK_DIFFERENCE: Final = timedelta(minutes=1)
"""By which the mail server's clock may be late."""

_MAX_UNSURE: Final = timedelta(days=1)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """How far a mailbox was read. `retry_at` is when to try again, None if all of it was read."""

    validity: int
    last_uid: int
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialMailReader:
    """What reading a mailbox takes.

    `saved` stores the state of the mailbox, `guard` limits the submissions of its password, and `lookup` is the DNS.
    `can_check` returns whether an account can be checked without a person, and `check` checks it now.
    """

    mailbox: OfficialMailbox
    context: Context
    saved: SharedValue
    guard: PasswordGuard
    lookup: Lookup
    can_check: Callable[[str], bool]
    check: Callable[[str], ReadResult]

    def read(self) -> Looked:
        """Read what is new, and act on it. Raises `StoreUnusable`, and `Busy` if another process reads the mailbox."""
        locks, stop = self.context.store.locks, self.context.stop
        with locks.acquire(self.mailbox.name + " official", wait=_WAIT, stop=stop):
            state = decode(self.saved.load())
            try:
                found = self._new_mails(state)
            except MailboxRefused as refused:
                if isinstance(refused, PasswordRefused):
                    self.guard.refused()
                return self._failed(state, str(refused))
            except SignInRejected:
                return self._failed(state, _password_not_submitted())
            except PortalUnavailable as cut_off:
                return self._failed(state, str(cut_off))
            except CONNECTION_ERRORS as error:
                if isinstance(error, TemporarilyRefused):
                    self.guard.unanswered()
                self.guard.unclear()  # if the password was submitted, and not answered
                host = self.mailbox.login.host
                text = _("cannot read the mailbox at {host} ({error})", host=host, error=type(error).__name__)
                return self._failed(state, text)
            return self._take(state, found)

    def _new_mails(self, state: MailboxState) -> "_Found":
        """Return the mails that are new since the state. A mailbox that was never opened has none."""
        opened = open_mailbox(
            self.mailbox.login,
            before_password=lambda: self.guard.before_submission(counts=False),
            signed_in=self.guard.accepted,
            seconds=_SECONDS,
        )
        with opened as mailbox:
            last_uid = max(mailbox.next_uid - 1, 0)
            if state.validity == 0:
                return _Found(validity=mailbox.validity, last_uid=last_uid, mails={})
            is_same = state.validity == mailbox.validity
            uids = mailbox.uids_from(self.mailbox.senders, after=state.last_uid if is_same else 0)[-_NEWEST:]
            mails = [mail for mail in map(mailbox.fetch, uids) if mail is not None]
            if not is_same:  # the server has numbered its mails anew
                mails = [mail for mail in mails if state.read_at is None or mail.arrived > state.read_at]
            return _Found(
                validity=mailbox.validity,
                last_uid=max([last_uid, *uids, state.last_uid if is_same else 0]),
                mails={mail: self._kinds(mail) for mail in mails},
            )

    def _kinds(self, mail: Mail) -> Mapping[str, MailKind]:
        """Return what a mail is to each account."""
        if not mail.is_complete:
            return dict.fromkeys(self.mailbox.accounts, MailKind.UNREADABLE)
        recipients = recipients_of(mail.raw)
        addressed = {name for name, username in self.mailbox.usernames.items() if username in recipients}
        return {
            name: MailKind.UNRELATED
            if addressed and name not in addressed
            else judge(
                mail.raw,
                arrived=mail.arrived,
                senders=settings.senders,
                authserv_id=settings.authserv_id,
                lookup=self.lookup,
            )
            for name, settings in self.mailbox.accounts.items()
        }

    def _take(self, state: MailboxState, found: "_Found") -> Looked:
        """Act on what was found, then save that it was read: a kill in between repeats a check, but no alert."""
        now, unsure = self.context.clock.now(), list[Mail]()
        for mail, kinds in found.mails.items():
            if MailKind.UNSURE in kinds.values() and now - mail.arrived < _MAX_UNSURE:
                unsure.append(mail)
                continue
            _log.info("official_mail_judged", mailbox=self.mailbox.name, kinds=sorted(set(kinds.values())))
            if MailKind.FORGED in kinds.values() and MailKind.OFFICIAL not in kinds.values():
                state = state.with_forged(mail.arrived)
                _log.warning("possible_phishing", mailbox=self.mailbox.name, accounts=sorted(kinds))
            if MailKind.OFFICIAL in kinds.values():
                state = replace(state, official_at=mail.arrived)
        for name in self.mailbox.accounts:
            mails = [mail for mail, kinds in found.mails.items() if kinds[name] is MailKind.OFFICIAL]
            if mails:
                self._act(name, mails, found.validity)
        last_uid = min(mail.uid for mail in unsure) - 1 if unsure else found.last_uid
        if state.is_reported:
            self._record_end(state)
        state = state.was_read(validity=found.validity, last_uid=last_uid, now=now)
        retry_at = None
        if unsure:
            state = replace(state, failures=1)
            retry_at = now + state.retry_after
            _log.warning("official_mail_not_verified_yet", mailbox=self.mailbox.name, mails=len(unsure))
        self.saved.update(lambda _before: encode(state))
        return Looked(validity=found.validity, last_uid=last_uid, retry_at=retry_at)

    def _act(self, name: str, mails: list[Mail], validity: int) -> None:
        """Check the account, or ask its person to look if it cannot be checked. Unless either came after the mails."""
        health = self.context.store.accounts.health(name, self.context.clock.now())
        can_check = self.can_check(name)
        seen_at = health.last_attempt_at if can_check else health.last_read_at
        if seen_at is not None and seen_at > mails[-1].arrived + _CLOCK_DIFFERENCE:
            return
        if can_check:
            result = self.check(name)
            if result.cases_read or result.read_elsewhere:
                return
        if not self._was_alerted(name):
            handed_over = self.context.settings.accounts[name].is_handed_over
            new: Json = {"at": utc_text(mails[-1].arrived), "handover": handed_over}
            self._record(name, ChangeKind.OFFICIAL_MAIL, new, marks=[f"{validity} {mail.uid}" for mail in mails])

    def _record(self, name: str, kind: ChangeKind, new: Json, *, marks: Sequence[str]) -> None:
        """Record a change, unless it was recorded with these marks: a kill may have come before the state was saved."""
        reminders = {
            SentReminder(account=name, case_number="", subject=_SUBJECT, mark=f"{self.mailbox.name} {mark}")
            for mark in marks
        }
        fresh = reminders.difference(self.context.store.reminders())
        if fresh:
            subject = _SUBJECT if kind is ChangeKind.OFFICIAL_MAIL else None
            change = Change(kind=kind, severity=severity_of(kind), subject=subject, new=new)
            self.context.record_changes(self.context.settings.accounts[name], (change,), reminders=tuple(fresh))

    def _was_alerted(self, name: str) -> bool:
        """Return whether the person was asked to look a moment ago, and has not handed over since."""
        store, now = self.context.store, self.context.clock.now()
        last = store.history(accounts=[name], kinds=[ChangeKind.OFFICIAL_MAIL], limit=1)
        if not last or now - last[0].at > _ONE_EVENT:
            return False
        read_at = store.accounts.health(name, now).last_read_at
        return read_at is None or read_at < last[0].at

    def _failed(self, state: MailboxState, reason: str) -> Looked:
        """Save that the mailbox could not be read. People are told when that lasts."""
        now = self.context.clock.now()
        state = state.failed(reason, now)
        _log.error("official_mail_unreadable", mailbox=self.mailbox.name, reason=reason, failures=state.failures)
        since = state.failing_since or now
        if not state.is_reported and now - since >= self.context.settings.schedule.blind_after:
            new: Json = {"reason": reason, "since": utc_text(since), "partly": True}
            self._record_for_all(ChangeKind.PORTAL_UNREADABLE, new, since)
            state = replace(state, is_reported=True)
        self.saved.update(lambda _before: encode(state))
        return Looked(validity=state.validity, last_uid=state.last_uid, retry_at=now + state.retry_after)

    def _record_end(self, state: MailboxState) -> None:
        new: Json = {"after": ChangeKind.PORTAL_UNREADABLE.value, "since": utc_text(state.failing_since)}
        self._record_for_all(ChangeKind.RECOVERED, new, state.failing_since)

    def _record_for_all(self, kind: ChangeKind, new: Json, since: datetime | None) -> None:
        for name in self.mailbox.accounts:
            self._record(name, kind, new, marks=[f"{kind} {utc_text(since)}"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The new mails of a mailbox, oldest first, with what each is to each account."""

    validity: int
    last_uid: int
    mails: Mapping[Mail, Mapping[str, MailKind]]


def _password_not_submitted() -> str:
    return _(
        "the mail server refused the mailbox's password earlier, or closed the connection each time it was submitted."
        " It is not submitted again until you change it or run `watcher resume ACCOUNT`"
    )
