"""The settings of a USCIS online account."""

from shlex import quote
from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr, model_validator

from watcher.language.uscis_wording import is_receipt, normalize_receipt
from watcher.messages import _
from watcher.portals.uscis.sign_in_pages import UscisOrigins
from watcher.settings.faults import missing_secret_text
from watcher.settings.handover import HandoverAccount
from watcher.settings.logins import login_id
from watcher.settings.values import WebAddress
from watcher.sign_in.mailbox import MailboxSettings
from watcher.sign_in.totp import parse_totp_secret


def _receipt(number: str) -> str:
    receipt = normalize_receipt(number)
    if is_receipt(receipt):
        return receipt
    raise ValueError(_("must be a receipt number: three letters and ten digits, such as IOE0000000001"))


def _totp_secret(secret: SecretStr) -> SecretStr:
    parse_totp_secret(secret.get_secret_value())
    return secret


Receipt = Annotated[str, AfterValidator(_receipt)]


class UscisAccount(HandoverAccount):
    """One login at my.uscis.gov.

    `sign_in`: "handover" never signs in, and takes what the user hands over from their own browser; "session" uses a
    session from that browser and needs no password; "browser" signs in with username and password in a local Chromium,
    and `mfa` then names the source of the one-time code. `cases` limits which cases are watched; empty means all.
    `base_url` and `auth_url` are the origins of my.uscis.gov and myaccount.uscis.gov.
    """

    cases: tuple[Receipt, ...] = ()
    username: str = ""
    password: SecretStr | None = None
    sign_in: Literal["handover", "session", "browser"] = "session"
    mfa: Literal["totp", "email", "prompt", "none"] = "prompt"
    totp_secret: Annotated[SecretStr, AfterValidator(_totp_secret)] | None = None
    mailbox: MailboxSettings | None = None
    auth_url: WebAddress = ""
    browser_path: str = ""

    @model_validator(mode="after")
    def _check_complete(self) -> "UscisAccount":
        if self.sign_in != "browser":
            return self
        faults = [] if self.username else [_('sign_in = "browser" needs username')]
        if self.password is None:
            faults.append(missing_secret_text('sign_in = "browser"', ("accounts", self.name, "password")))
        if faults:
            raise ValueError("\n".join(faults))
        if self.mfa == "totp" and self.totp_secret is None:
            raise ValueError(
                _(
                    'mfa = "totp" needs totp_secret: the secret key that USCIS showed when you set up the '
                    "authenticator app"
                )
            )
        if self.mfa == "email" and self.mailbox is None:
            raise ValueError(_('mfa = "email" needs mailbox = {host, port, username, password}'))
        return self

    @property
    def is_handed_over(self) -> bool:
        """Whether the user hands over what the portal shows them."""
        return self.sign_in == "handover"

    @property
    def origins(self) -> UscisOrigins:
        """The origins of the account's sign-in and of its cases."""
        default = UscisOrigins()
        return UscisOrigins(
            auth=self.auth_url.rstrip("/") or default.auth,
            cases=self.base_url.rstrip("/") or default.cases,
        )

    @property
    def manual_sign_in(self) -> str:
        """The instructions for bringing in a session from the user's own browser, as an error message ends."""
        return _(
            "Sign in with your own browser, export its cookies, then run: watcher login {name} --cookies FILE",
            name=quote(self.name),
        )

    def credential(self) -> str | None:
        """Return user name and password if the program submits them, else None."""
        if self.sign_in != "browser" or self.password is None:
            return None
        return f"{self.username}\0{self.password.get_secret_value()}"

    def login(self) -> str | None:
        """Return the login of the user name; None for a session whose user name is not set."""
        return login_id(self.portal, self.origins.auth, self.username) if self.username else None
