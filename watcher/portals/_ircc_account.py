"""What a person sets for an account at one of IRCC's two trackers."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from watcher.portals._ircc_programs import TRACKERS, Program, Tracker
from watcher.settings import AccountSettings, WebAddress


def _uci(text: str) -> str:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{8}|[0-9]{10}", digits):
        raise ValueError("a UCI has 8 or 10 digits, such as 1100000001; spaces and dashes make no difference")
    return digits


def _application_number(text: str) -> str:
    number = plain_number(text)
    if not re.fullmatch(r"[A-Z]{1,2}[0-9]{7,10}", number):
        raise ValueError("an application number is a letter and nine digits, such as E000000001")
    return number


def plain_number(text: str) -> str:
    """An application number as it is compared: people type it in lower case, or with spaces."""
    return re.sub(r"[\s-]", "", text).upper()


class IrccAccount(AccountSettings):
    """An account at one of the two trackers. `username` is the UCI; the password is the tracker's own, not GCKey's.

    `ca_file` matters here: the chain that the data services send is known to lack an intermediate certificate, "Entrust
    OV TLS Issuing RSA CA 2". Where reads fail because a certificate "could not be verified", save that certificate
    (Entrust publishes it) as PEM and name the file in `ca_file`: it is added to the trusted ones, and verification
    stays on. It is not shipped, because it could not be fetched from its publisher where this was written.
    """

    program: Program
    username: Annotated[str, AfterValidator(_uci)]
    password: Annotated[SecretStr, Field(min_length=1)]
    cases: tuple[Annotated[str, AfterValidator(_application_number)], ...] = ()
    auth_url: WebAddress = ""
    client_id: str = ""

    def credential(self) -> str:
        """The UCI and the password."""
        return f"{self.username}\n{self.password.get_secret_value()}"

    @property
    def tracker(self) -> Tracker:
        """The tracker of the program."""
        return TRACKERS[self.program]
