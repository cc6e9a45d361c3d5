"""An account at the double that signs in with a browser."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from tests.doubles.uscis import CODE, EMAIL, PASSWORD, FakeUscis
from tests.portals.context import PortalFakes
from watcher.portal import PortalContext
from watcher.portals.uscis import UscisAccount


@dataclass(slots=True)
class Codes:
    value: str = CODE
    asked_at: list[datetime] = field(default_factory=list)

    def code(self, *, asked_at: datetime) -> str:
        self.asked_at.append(asked_at)
        return self.value


def account(portal: FakeUscis, **changed: Any) -> UscisAccount:
    keys: dict[str, Any] = {"username": EMAIL, "password": SecretStr(PASSWORD), "sign_in": "browser"}
    return UscisAccount(name="family", portal="uscis", base_url=portal.origin, auth_url=portal.auth, **keys | changed)


def context_with(fakes: PortalFakes, codes: Codes | None = None) -> PortalContext:
    return replace(fakes.context(), codes=codes or Codes())
