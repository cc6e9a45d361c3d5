"""What a person sets for a USCIS online account."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr, model_validator

from watcher.portals.uscis.answers import RECEIPT
from watcher.portals.uscis.sign_in_pages import UscisOrigins
from watcher.settings import AccountSettings, WebAddress
from watcher.sign_in.mailbox import MailboxSettings
from watcher.sign_in.totp import parse_totp_secret

_PAPER = re.compile(r"(?!IOE)[A-Z]{3}(?:[0-9]{10}|\*[0-9]{9})")


def _receipt(written: str) -> str:
    receipt = re.sub(r"[\s-]", "", written).upper()
    if _PAPER.fullmatch(receipt):
        raise ValueError(
            f"{receipt[:3]} receipts are those of paper files, which the online account does not serve; "
            'only receipts that begin with IOE are (portal = "uscis-api" and "manual" can watch the others)'
        )
    if not re.fullmatch(RECEIPT, receipt, re.ASCII):
        raise ValueError("must be a receipt number of the online account: IOE and ten digits, such as IOE0000000001")
    return receipt


def _totp_secret(secret: SecretStr) -> SecretStr:
    parse_totp_secret(secret.get_secret_value())
    return secret


Receipt = Annotated[str, AfterValidator(_receipt)]


class UscisAccount(AccountSettings):
    """One login at my.uscis.gov.

    `sign_in`: "session" uses a session that the person has signed in to with their own browser, and needs no password;
    "browser" signs in with username and password in a Chromium of this machine. `mfa` is where the one-time code comes
    from then. `cases` is a filter. `base_url` and `auth_url` are the origins of my.uscis.gov and myaccount.uscis.gov.
    """

    cases: tuple[Receipt, ...] = ()
    username: str = ""
    password: SecretStr | None = None
    sign_in: Literal["session", "browser"] = "session"
    mfa: Literal["totp", "email", "prompt", "none"] = "prompt"
    totp_secret: Annotated[SecretStr, AfterValidator(_totp_secret)] | None = None
    mailbox: MailboxSettings | None = None
    auth_url: WebAddress = ""
    browser_path: str = ""

    @model_validator(mode="after")
    def _complete(self) -> "UscisAccount":
        if self.sign_in == "session":
            return self
        if not self.username or self.password is None:
            raise ValueError('sign_in = "browser" needs a username and a password')
        if self.mfa == "totp" and self.totp_secret is None:
            raise ValueError('mfa = "totp" needs totp_secret: what the portal showed when the app was set up')
        if self.mfa == "email" and self.mailbox is None:
            raise ValueError('mfa = "email" needs mailbox = {host, port, username, password}')
        return self

    @property
    def origins(self) -> UscisOrigins:
        """Where the account is signed in to, and where its cases are."""
        usual = UscisOrigins()
        return UscisOrigins(
            auth=self.auth_url.rstrip("/") or usual.auth,
            cases=self.base_url.rstrip("/") or usual.cases,
        )

    def credential(self) -> str | None:
        """User name and password, where they are submitted at all."""
        if self.sign_in == "session" or self.password is None:
            return None
        return f"{self.username}\0{self.password.get_secret_value()}"
