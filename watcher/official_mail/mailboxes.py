"""The mailboxes of official mails that the configuration names. Accounts may share one. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watcher.settings import Settings
from watcher.settings.mailboxes import OfficialMailSettings
from watcher.sign_in.imap import ImapLogin
from watcher.sign_in.shared_mailbox import folder_name


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialMailbox:
    """A folder of a mailbox, and the accounts whose agency writes there, with what each account expects.

    `name` shows nothing of the address. `usernames` are those of accounts that have one, in lower case.
    """

    name: str
    login: ImapLogin
    accounts: Mapping[str, OfficialMailSettings]
    usernames: Mapping[str, str]

    @property
    def senders(self) -> tuple[str, ...]:
        """The confirmed senders of all accounts."""
        return tuple(sorted({sender for settings in self.accounts.values() for sender in settings.senders}))

    def waiting_message(self) -> dict[str, Any]:
        """Return what the process that waits for mails needs, see `watcher.official_mail.waiter`."""
        login = self.login
        return {
            "name": self.name,
            "host": login.host,
            "port": login.port,
            "username": login.username,
            "password": login.password,
            "folder": login.folder,
            "starttls": login.starttls,
            "ca_file": None if login.ca_file is None else str(login.ca_file.absolute()),
            "senders": list(self.senders),
        }


def official_mailboxes(settings: Settings) -> dict[str, OfficialMailbox]:
    """Return the mailboxes by name."""
    found: dict[str, OfficialMailbox] = {}
    for account in settings.accounts.values():
        if (mail := account.official_mail) is not None:
            login = ImapLogin.of(mail)
            name = folder_name(login)
            accounts = {**(found[name].accounts if name in found else {}), account.name: mail}
            usernames = {**(found[name].usernames if name in found else {})}
            if username := getattr(account, "username", ""):
                usernames[account.name] = username.lower()
            found[name] = OfficialMailbox(name=name, login=login, accounts=accounts, usernames=usernames)
    return found
