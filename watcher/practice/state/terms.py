"""Settings of the practice portal: who may sign in, and how long things last. All made up."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The one account and the one API client. Without `totp_secret` (base32) no one-time code is required."""

    username: str = "applicant@example.org"
    password: str = "practice makes perfect"  # noqa: S105 -- made up, good only for the practice portal
    totp_secret: str | None = "JBSWY3DPEHPK3PXP"  # noqa: S105 -- 80 bits, made up
    client_id: str = "practice-client"
    client_secret: str = "practice client secret"  # noqa: S105 -- made up


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How the portal behaves. Lifetimes and the lock use the portal's clock.

    `unix_time` is the time for one-time codes: the machine's time even if the portal's clock runs fast, because
    authenticators use that. `one_session`: a sign-in ends the sessions before it.
    """

    session_lifetime: timedelta = timedelta(hours=8)
    one_session: bool = False
    token_lifetime: timedelta = timedelta(minutes=30)
    wrong_passwords: int = 5
    lock_for: timedelta = timedelta(minutes=20)
    cases_per_page: int = 10
    unix_time: Callable[[], float] = time.time
