"""The settings of an account at the USCIS Case Status API."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from watcher.http.hosts import host_of
from watcher.language.uscis_wording import is_receipt, normalize_receipt
from watcher.messages import _
from watcher.settings import AccountSettings
from watcher.settings.logins import login_id
from watcher.settings.values import WebAddress

SANDBOX = "https://api-int.uscis.gov"
"""The only address that USCIS publishes. That of production is in its access letter."""

_SANDBOX_RATE, _RATE = 5.0, 10.0
_SANDBOX_DAILY, _DAILY = 1_000, 400_000


def _as_text(value: object) -> object:
    """Accept a whole number without quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _receipts(numbers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the numbers in the form that the API accepts, each once."""
    normalized = tuple(dict.fromkeys(map(normalize_receipt, numbers)))
    for position, number in enumerate(normalized, start=1):
        if not is_receipt(number):
            text = _(
                "number {position} is not a receipt number: use three letters and ten digits (IOE0000000001), or three"
                ' letters, "*", and nine digits',
                position=position,
            )
            raise ValueError(text)
    return normalized


class UscisApiAccount(AccountSettings):
    """One app of developer.uscis.gov and the receipt numbers to watch.

    If `requests_per_second` and `daily_requests` are None, the limits that USCIS publishes apply: 5 and 1,000 for its
    sandbox, 10 and 400,000 for production (2026). The access letter takes precedence. `demo_id` is for the
    demonstration that USCIS requires.
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
        """Return the client ID and the secret."""
        return f"{self.client_id}\0{self.client_secret.get_secret_value()}"

    def login(self) -> str:
        """Return the login of the client ID."""
        return login_id(self.portal, self.token_endpoint, self.client_id)

    @property
    def origin(self) -> str:
        """The origin of `/case-status/NUMBER`."""
        return self.base_url or SANDBOX

    @property
    def token_endpoint(self) -> str:
        """The URL that receives the client credential."""
        return self.token_url or f"{self.origin}/oauth/accesstoken"

    @property
    def rate(self) -> float:
        """The maximum number of requests per second."""
        return self.requests_per_second or (_SANDBOX_RATE if self.at_sandbox else _RATE)

    @property
    def daily_limit(self) -> int:
        """The maximum number of requests per day."""
        return self.daily_requests or (_SANDBOX_DAILY if self.at_sandbox else _DAILY)

    @property
    def at_sandbox(self) -> bool:
        """Whether the account reads USCIS's sandbox, which holds made-up cases."""
        return host_of(self.origin) == host_of(SANDBOX)
