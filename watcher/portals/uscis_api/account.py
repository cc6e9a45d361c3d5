"""What a person sets for an account at the USCIS Case Status API."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from watcher.http.hosts import host_of
from watcher.portals.uscis_api.snapshot import RECEIPT
from watcher.settings import AccountSettings, WebAddress

SANDBOX = "https://api-int.uscis.gov"
"""The only address that USCIS publishes; that of production comes with its access letter."""

_SANDBOX_RATE, _RATE = 5.0, 10.0
_SANDBOX_DAILY, _DAILY = 1_000, 400_000
_DECORATION = re.compile(r"[\s\-\u2010-\u2015\u2212]+")


def _as_text(value: object) -> object:
    """A whole number may be written without quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _receipts(numbers: tuple[str, ...]) -> tuple[str, ...]:
    """The numbers as the API takes them, each once: without spaces and dashes, in capitals."""
    normal = tuple(dict.fromkeys(_DECORATION.sub("", number).upper() for number in numbers))
    for place, number in enumerate(normal, start=1):
        if not re.fullmatch(RECEIPT, number, re.ASCII):
            raise ValueError(
                f"number {place} is no receipt number: it has three letters and ten digits (IOE0000000001), or three "
                'letters, "*" and nine digits'
            )
    return normal


class UscisApiAccount(AccountSettings):
    """One app of developer.uscis.gov and the receipt numbers to ask it about.

    `requests_per_second` and `daily_requests` None: what USCIS publishes, which is 5 and 1,000 for its sandbox, 10 and
    400,000 for production (2026). The access letter wins. `demo_id` is for the demonstration that USCIS asks for.
    """

    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[SecretStr, Field(min_length=1)]
    cases: Annotated[tuple[str, ...], AfterValidator(_receipts), Field(min_length=1)]
    token_url: WebAddress = ""
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    daily_requests: Annotated[int, Field(gt=0)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=32)] = 4
    demo_id: Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^[\x21-\x7e]*$")] = ""

    def credential(self) -> str:
        """The client id and the secret."""
        return f"{self.client_id}\0{self.client_secret.get_secret_value()}"

    @property
    def origin(self) -> str:
        """Where `/case-status/NUMBER` is asked."""
        return self.base_url or SANDBOX

    @property
    def token_endpoint(self) -> str:
        """Where the client credential goes."""
        return self.token_url or f"{self.origin}/oauth/accesstoken"

    @property
    def rate(self) -> float:
        """Requests a second at most."""
        return self.requests_per_second or (_SANDBOX_RATE if self._at_sandbox else _RATE)

    @property
    def daily_limit(self) -> int:
        """Requests a day at most."""
        return self.daily_requests or (_SANDBOX_DAILY if self._at_sandbox else _DAILY)

    @property
    def _at_sandbox(self) -> bool:
        return host_of(self.origin) == host_of(SANDBOX)
