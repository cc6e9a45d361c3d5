"""The composition root: builds the objects and connects them. Makes no decisions."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from shlex import quote
from threading import Event
from typing import TYPE_CHECKING

from pydantic import SecretStr

from watcher import portals
from watcher.clock import Clock, SystemClock
from watcher.context.context import Context
from watcher.context.device_channels import with_devices
from watcher.context.opening import open_store, saved_values
from watcher.delivery.apprise_notifier import AppriseNotifier, Notifier
from watcher.delivery.channel_health import record_channel_health
from watcher.delivery.outbox_worker import OutboxWorker
from watcher.errors import StoreUnusable
from watcher.messages import _
from watcher.model.account_health import ReadResult, report
from watcher.model.change import ChangeKind, RecordedChange
from watcher.portal import CodeSource, Portal, SignInTurn, Trace
from watcher.reading.options import ReadOptions
from watcher.reading.poll import poll
from watcher.reading.session_end import note_session_end
from watcher.remind.time_reminders import record_time_reminders
from watcher.settings import AccountSettings, Settings
from watcher.settings.derived import database_url, sealing_keys
from watcher.settings.mailboxes import ImapSettings
from watcher.sign_in.code_inbox import CODE, EXPECTED, StoredInbox
from watcher.sign_in.code_sources import FirstAvailable, NoCodeSource
from watcher.sign_in.session_takeover import delete_session_files, take_over_session
from watcher.sign_in.submitted_code import SubmittedCode
from watcher.sign_in.totp import StoredUsedSteps, TotpCodes, parse_totp_secret
from watcher.store import Busy, SavedValue, SavedValues, Store, StoredSignInGuard
from watcher.store.backup import backup_files
from watcher.store.backup.rotation import back_up, with_restore_advice

if TYPE_CHECKING:
    from watcher.sign_in.mailbox import MailboxSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One configuration with its database, channels, and saved sessions."""

    context: Context
    notifier: Notifier
    sessions: SavedValues

    @property
    def settings(self) -> Settings:
        """The configuration."""
        return self.context.settings

    @property
    def store(self) -> Store:
        """The database."""
        return self.context.store

    @property
    def clock(self) -> Clock:
        """The clock."""
        return self.context.clock

    @property
    def inbox(self) -> StoredInbox:
        """The one-time codes that people submitted."""
        return StoredInbox(self.sessions)

    def portal_of(self, name: str) -> Portal:
        """Return the portal of an account."""
        return portals.find(self.settings.accounts[name].portal)

    def outbox_worker(self) -> OutboxWorker:
        """Return a worker that delivers to the channels of this configuration."""
        return OutboxWorker(self.store, self.notifier, self.clock, settings=self.settings, stop=self.context.stop)

    def poll(
        self,
        name: str,
        *,
        wait: float = 0.0,
        trace: Trace | None = None,
        codes: CodeSource | None = None,
        on_start: Callable[[], None] | None = None,
        progress: Callable[[int], None] | None = None,
        scheduled_at: datetime | None = None,
        attended: bool = False,
    ) -> ReadResult:
        """Check one account now, as `watcher.reading.poll.poll`. `codes` replaces the account's source of codes."""
        self._update_sessions(name)
        options = self.read_options(name, trace=trace, codes=codes)
        options = replace(options, on_start=on_start, progress=progress, attended=attended)
        result = poll(
            self.settings.accounts[name],
            self.portal_of(name),
            options,
            self.context,
            wait=wait,
            scheduled_at=scheduled_at,
        )
        if not result.read_elsewhere:
            note_session_end(self.settings.accounts[name], self.portal_of(name), self.sessions.of(name), self.context)
        return result

    def read_options(self, name: str, *, trace: Trace | None = None, codes: CodeSource | None = None) -> ReadOptions:
        """Return what `poll` needs to sign in to an account. `codes` replaces the account's source of codes."""
        account = self.settings.accounts[name]
        turn = None if codes else self._mailbox_turn(account)
        codes = codes or self._codes(account, turn)
        session = self.sessions.of(name)
        return ReadOptions(session=session, codes=codes, turn=turn, sealed=self.sealed_values(account), trace=trace)

    def sealed_values(self, account: AccountSettings) -> list[SavedValue]:
        """Return what is stored encrypted about signing in to an account, its session first."""
        values = [self.sessions.of(account.name), self._used_steps(account), self.sessions.of(account.name, EXPECTED)]
        if (mailbox := _mailbox_of(account)) is not None:
            values.append(self._used_mails(mailbox))
        return values

    def forget_session(self, name: str) -> bool:
        """Delete an account's session, also in files of earlier versions, and what no key opens.

        Return whether there was a session. Raises OSError if a file cannot be deleted.
        """
        values = self.sealed_values(self.settings.accounts[name])
        session, *others = values
        existed = session.load() is not None or session.fault() is not None
        self.store.accounts.set_session_end(name, None)
        for value in (session, self.sessions.of(name, CODE), *(value for value in others if value.fault())):
            value.delete()
        return delete_session_files(self._session_folder, name) or existed

    def sign_in_guard(self, name: str) -> StoredSignInGuard:
        """Return the guard that limits sign-ins with an account's credential."""
        account = self.settings.accounts[name]
        return self.store.sign_in_guard(
            name,
            clock=self.clock,
            login=account.login(),
            fingerprint=lambda: self.store.accounts.fingerprint(account.credential()),
            max_sign_ins_per_day=account.max_sign_ins_per_day,
        )

    def mailbox_guard(self, mailbox: ImapSettings) -> StoredSignInGuard:
        """Return the guard that limits sign-ins to a mailbox."""
        from watcher.sign_in.imap import ImapLogin  # noqa: PLC0415 - as in `_mailbox_codes`
        from watcher.sign_in.shared_mailbox import login_name  # noqa: PLC0415 - as in `_mailbox_codes`

        login = ImapLogin.of(mailbox)
        return self.store.sign_in_guard(
            login_name(login),
            clock=self.clock,
            fingerprint=lambda: self.store.accounts.fingerprint(f"{login.username}\n{login.password}"),
            max_sign_ins_per_day=0,
        )

    def forget_rejections(self, name: str) -> None:
        """Allow an account's credentials to be submitted again, to the portal and to the account's mailbox."""
        self.sign_in_guard(name).reset()
        account = self.settings.accounts[name]
        for mailbox in (_mailbox_of(account), account.official_mail):
            if mailbox is not None:
                self.mailbox_guard(mailbox).reset()

    def record_time_reminders(self, *, at_any_hour: bool = True) -> list[RecordedChange]:
        """Record the changes that only time causes, as `watcher.remind.time_reminders`, and which channels fail."""
        reminders = record_time_reminders(self.context, at_any_hour=at_any_hour)
        return reminders + record_channel_health(self.context)

    def check_database(self) -> None:
        """Check a database file for damage. Raises `StoreUnusable`, with the way to restore a backup."""
        database = backup_files.sqlite_path(database_url(self.settings))
        if database is None:
            return
        try:
            backup_files.examine(database)
        except StoreUnusable as error:
            raise with_restore_advice(error, self.settings) from None

    def back_up(self) -> None:
        """Create a backup if one is due. Raises `StoreUnusable`."""
        back_up(self.settings, now=self.clock.now())

    def refreshed(self) -> "App":
        """Return this app with the devices that receive alerts now as channels. Raises `StoreUnusable`."""
        settings = with_devices(self.settings, self.store)
        return self if settings is self.settings else self.with_settings(settings)

    def with_settings(self, settings: Settings) -> "App":
        """Return this app with another configuration."""
        return replace(
            self, context=replace(self.context, settings=settings), sessions=saved_values(self.store, settings)
        )

    def _update_sessions(self, name: str) -> None:
        """Take over the session that an earlier version saved, and encrypt again if the key has changed."""
        if self._session_folder.is_dir():
            take_over_session(self._session_folder, name, sealing_keys(self.settings), self.sessions.of(name))
        self.sessions.reseal()

    @property
    def _session_folder(self) -> Path:
        """Where earlier versions saved sessions."""
        return self.settings.state_dir / "sessions"

    def _used_steps(self, account: AccountSettings) -> SavedValue:
        return self.sessions.of(account.login() or account.name, "totp")

    def _used_mails(self, mailbox: "MailboxSettings") -> SavedValue:
        from watcher.sign_in.shared_mailbox import folder_name  # noqa: PLC0415 - as in `_mailbox_codes`

        return self.sessions.of(folder_name(mailbox.imap_login()), "mails")

    def _mailbox_turn(self, account: AccountSettings) -> SignInTurn | None:
        mailbox = _mailbox_of(account)
        if mailbox is None:
            return None
        from watcher.sign_in.shared_mailbox import MailboxTurn, login_name  # noqa: PLC0415 - as in `_mailbox_codes`

        name = login_name(mailbox.imap_login())
        return MailboxTurn(name, self.store.locks, busy=Busy, stop=self.context.stop)

    def _mailbox_codes(self, account: AccountSettings, mailbox: "MailboxSettings", turn: SignInTurn) -> CodeSource:
        # Imported only now: IMAP, MIME, and TLS take a tenth of the start-up time of a command that reads no mail.
        from watcher.sign_in.mailbox import MailboxCodes  # noqa: PLC0415
        from watcher.sign_in.shared_mailbox import UsedMails, folder_name  # noqa: PLC0415

        name = folder_name(mailbox.imap_login())
        sharing = (
            other
            for other in self.settings.accounts.values()
            if (others := _mailbox_of(other)) is not None and folder_name(others.imap_login()) == name
        )
        return MailboxCodes(
            mailbox,
            guard=self.mailbox_guard(mailbox),
            used=UsedMails(self._used_mails(mailbox)),
            turn=turn,
            recipient=_user_name(account),
            others=frozenset(map(_user_name, sharing)),
            clock=self.clock,
            wait=self.context.stop.wait,
        )

    def _codes(self, account: AccountSettings, turn: SignInTurn | None) -> CodeSource:
        """Return the account's source of one-time codes: its authenticator secret, its mailbox, or a person."""
        sources: list[CodeSource] = []
        totp: SecretStr | None = getattr(account, "totp_secret", None)
        mailbox = _mailbox_of(account)
        wait = self.context.stop.wait
        if totp is not None:
            used_steps = StoredUsedSteps(self._used_steps(account))
            sources.append(TotpCodes(parse_totp_secret(totp.get_secret_value()), used=used_steps, wait=wait))
        if mailbox is not None and turn is not None:
            sources.append(self._mailbox_codes(account, mailbox, turn))
        if getattr(account, "mfa", None) == "prompt":
            sources.append(
                SubmittedCode(
                    account.name,
                    self.inbox,
                    clock=self.clock,
                    wait=wait,
                    announce=lambda: self._alert_code_needed(account.name),
                )
            )
        return FirstAvailable(sources) if sources else NoCodeSource(account.name)

    def _alert_code_needed(self, name: str) -> None:
        reason = _(
            "the website asks for a one-time code. Enter it within ten minutes with `watcher code {account} CODE`",
            account=quote(name),
        )
        health = self.store.accounts.health(name, self.clock.now())
        health, changes = report(health, ChangeKind.MFA_NEEDED, {"reason": reason})
        if changes:
            self.context.record_changes(self.settings.accounts[name], changes, health=health)
            self.outbox_worker().deliver_due()


def _mailbox_of(account: AccountSettings) -> "MailboxSettings | None":
    return getattr(account, "mailbox", None)


def _user_name(account: AccountSettings) -> str:
    return getattr(account, "username", None) or ""


@contextmanager
def open_app(
    settings: Settings, *, clock: Clock | None = None, notifier: Notifier | None = None, stop: Event | None = None
) -> Iterator[App]:
    """Open the store, build the app, and close the store at the end. Raises `StoreUnusable`."""
    with closing(open_store(settings)) as store:
        settings = with_devices(settings, store)
        yield App(
            context=Context(store=store, settings=settings, clock=clock or SystemClock(), stop=stop or Event()),
            notifier=notifier or AppriseNotifier(),
            sessions=saved_values(store, settings),
        )
