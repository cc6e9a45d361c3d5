"""The configuration of an account at one of IRCC's two trackers."""

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field, SecretStr

from watcher.messages import _
from watcher.settings import AccountSettings
from watcher.settings.logins import login_id
from watcher.settings.values import WebAddress

Program: TypeAlias = Literal["immigration", "citizenship"]

AUTH_URL: Final = "https://cognito-idp.ca-central-1.amazonaws.com"
_REGION: Final = "ca-central-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """One of the trackers. `pool` is its user pool at Amazon Cognito, if known."""

    site: str
    api: str
    client_id: str
    pool: str | None = None

    def accepts_issuer(self, issuer: str, *, client_id: str) -> bool:
        """Return whether a token of this issuer can be the tracker's.

        Only the pool of the published app is known. For another `client_id`, any pool of the region is accepted.
        """
        pools = f"{AUTH_URL}/"
        if self.pool is not None and client_id == self.client_id:
            return issuer == pools + self.pool
        return issuer.startswith(f"{pools}{_REGION}_")


TRACKERS: Final[dict[Program, Tracker]] = {
    "immigration": Tracker(
        site="https://ircc-tracker-suivi.apps.cic.gc.ca",
        api="https://api.ircc-tracker-suivi.apps.cic.gc.ca",
        client_id="3cfutv5ffd1i622g1tn6vton5r",
        pool="ca-central-1_7OCkCncWC",
    ),
    "citizenship": Tracker(
        site="https://tracker-suivi.apps.cic.gc.ca",
        api="https://api.tracker-suivi.apps.cic.gc.ca",
        client_id="mtnf1qn9p739g2v8aij2anpju",
    ),
}


def _uci(text: str) -> str:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{8}|[0-9]{10}", digits):
        raise ValueError(_("a UCI has 8 or 10 digits, such as 1100000001; spaces and dashes are ignored"))
    return digits


def _application_number(text: str) -> str:
    number = normalize_number(text)
    if not re.fullmatch(r"[A-Z]{1,2}[0-9]{7,10}", number):
        raise ValueError(_("an application number is one letter and nine digits, such as E000000001"))
    return number


def normalize_number(text: str) -> str:
    """Return an application number as it is compared: in capitals, without spaces or dashes."""
    return re.sub(r"[\s-]", "", text).upper()


class IrccAccount(AccountSettings):
    """An account at one of the two trackers. `username` is the UCI; the password is the tracker's own, not GCKey's.

    The certificate chain that the data services send is known to lack an intermediate certificate, "Entrust OV TLS
    Issuing RSA CA 2". If checks fail because a certificate "could not be verified", save that certificate (Entrust
    publishes it) as PEM and set `ca_file` to the file: it is added to the trusted ones, and verification stays on. It
    is not shipped, because it could not be downloaded from its publisher during development.
    """

    program: Program
    username: Annotated[str, AfterValidator(_uci)]
    password: Annotated[SecretStr, Field(min_length=1)]
    cases: tuple[Annotated[str, AfterValidator(_application_number)], ...] = ()
    auth_url: WebAddress = ""
    client_id: str = ""

    def credential(self) -> str:
        """Return the UCI and the password, for the sign-in guard's fingerprint."""
        return f"{self.username}\n{self.password.get_secret_value()}"

    def login(self) -> str:
        """Return the login of the UCI at this tracker."""
        return login_id(self.portal, self.auth_url or AUTH_URL, self.client_id or self.tracker.client_id, self.username)

    @property
    def tracker(self) -> Tracker:
        """The tracker for this account's program."""
        return TRACKERS[self.program]
