"""The user's mailboxes at IMAP servers."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from watcher.messages import _
from watcher.settings.section import Section

_ADDRESS = re.compile(r"(?:[^@\s<>\"]+)?@[^@\s<>\"]+\.[^@\s<>\".]+")
_SERVER = re.compile(r"[\w.:-]+")


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError(_("must be one line of text"))
    return text


def _official_sender(text: str) -> str:
    """Return an address, or "@" and a domain, in lower case."""
    sender = text.strip().lower()
    sender = sender if "@" in sender else f"@{sender}"
    if not (_ADDRESS.fullmatch(sender) and sender.isascii()):
        raise ValueError(_('use a domain, such as "example.gov", or an address, such as "notices@example.gov"'))
    return sender


def _server_name(text: str) -> str:
    if text and not _SERVER.fullmatch(text):
        raise ValueError(_('must be the first word of an Authentication-Results header, such as "mx.example.org"'))
    return text.lower()


Line = Annotated[str, AfterValidator(_one_line)]


class ImapSettings(Section):
    """A folder of a mailbox. The program only reads it.

    `security` is TLS from the first byte, or `starttls` (port 143 at most providers). `ca_file` is trusted in addition
    to the system's certificates.
    """

    host: Line
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    username: Line
    password: SecretStr
    folder: Line = "INBOX"
    security: Literal["tls", "starttls"] = "tls"
    ca_file: Path | None = None


class OfficialMailSettings(ImapSettings):
    """The mailbox that receives the agency's own mails, which say that something has happened.

    `senders` are the domains and addresses that the user has confirmed: "example.gov" stands for the domain with its
    subdomains, and is stored as "@example.gov". `authserv_id` is the name of the user's own mail server in its
    `Authentication-Results`; without it, only a valid DKIM signature proves that a mail is the agency's.
    """

    senders: Annotated[tuple[Annotated[str, AfterValidator(_official_sender)], ...], Field(min_length=1)]
    authserv_id: Annotated[str, AfterValidator(_server_name)] = ""
