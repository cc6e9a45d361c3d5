"""Checks of the mailboxes of official mails, by what the daemon found there. No password is sent."""

from collections.abc import Iterator
from datetime import timedelta
from shlex import quote

from watcher.app import App
from watcher.doctor.finding import Finding, about_account, failed, ok, warning
from watcher.messages import _, plural
from watcher.official_mail.state import PURPOSE, MailboxState, decode

_RECENT = timedelta(days=30)


def check_official_mail(app: App) -> Iterator[Finding]:
    """Report each mailbox of the configuration: whether it was read, and possible phishing in it."""
    if not any(account.official_mail for account in app.settings.accounts.values()):
        return
    from watcher.official_mail.mailboxes import official_mailboxes  # noqa: PLC0415 - loads IMAP

    for mailbox in official_mailboxes(app.settings).values():
        state = decode(app.sessions.of(mailbox.name, PURPOSE).load())
        about = about_account(", ".join(mailbox.accounts))
        yield _reading(about, state, mailbox.login.host, next(iter(mailbox.accounts)))
        recent = [moment for moment in state.forged if app.clock.now() - moment < _RECENT]
        if recent:
            text = plural(
                "{n} e-mail is possible phishing: it claims to be from {senders} without proof (last: {day})",
                "{n} e-mails are possible phishing: they claim to be from {senders} without proof (last: {day})",
                len(recent),
                senders=", ".join(sender.removeprefix("@") for sender in mailbox.senders),
                day=f"{recent[-1]:%Y-%m-%d}",
            )
            yield warning(about, text, _("open no link in it; type the address of the official site yourself"))


def _reading(about: str, state: MailboxState, host: str, account: str) -> Finding:
    if state.reason is not None:
        text = _("official mail: {reason}", reason=state.reason)
        fix = _("correct official_mail, then run `watcher resume {account}`", account=quote(account))
        return failed(about, text, fix)
    if state.read_at is None:
        text = _("official mail: the mailbox at {host} was not read yet", host=host)
        return warning(about, text, _("`watcher run` reads it"))
    if state.official_at is None:
        return ok(about, _("official mail: the mailbox at {host} is read", host=host))
    day = f"{state.official_at:%Y-%m-%d}"
    return ok(about, _("official mail: the mailbox at {host} is read; the last mail is of {day}", host=host, day=day))
