"""The two trackers of IRCC: where each lives, and the public names of its app at the sign-in service.

Hosts and client ids stand in the pages that the trackers send to every browser; they are no secrets.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Program: TypeAlias = Literal["immigration", "citizenship"]

AUTH_URL: Final = "https://cognito-idp.ca-central-1.amazonaws.com"
_REGION: Final = "ca-central-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """One tracker. `pool` is its user pool at Amazon Cognito where it is known."""

    site: str
    api: str
    client_id: str
    pool: str | None = None

    def accepts_issuer(self, issuer: str, *, client_id: str) -> bool:
        """Whether a token of this issuer can be the tracker's.

        Only the pool of the published app is known; for another `client_id` any pool of the region will do.
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
