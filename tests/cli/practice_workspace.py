"""A workspace whose account is read with a recipe at the practice portal, over TLS, for commands that sign in."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.workspace import Workspace
from watcher import practice
from watcher.clock import SystemClock
from watcher.practice import PracticePortal, Terms
from watcher.practice.state.totp import STEP_SECONDS, code_at

FIRST, SECOND = "IOE0000000001", "IOE0000000002"
RECIPE = Path(practice.__file__).with_name("practice.toml")


class FrozenCodeClock:
    """The portal's clock for one-time codes. It stands still until moved, so that no code expires during a test."""

    def __init__(self) -> None:
        self.step = int(time.time()) // STEP_SECONDS

    def unix_time(self) -> float:
        return float(self.step * STEP_SECONDS)


@dataclass(slots=True, kw_only=True)
class PracticeWorkspace(Workspace):
    """A workspace with a practice portal and one account at it, `family`."""

    portal: PracticePortal
    code_clock: FrozenCodeClock

    def configure(self, **keys: object) -> None:
        """Write the account. `keys` replace its own keys."""
        account = self.portal.account
        section: dict[str, object] = {
            "portal": "recipe",
            "recipe": str(RECIPE),
            "base_url": self.portal.base_url,
            "ca_file": str(self.portal.ca_file),
            "username": account.username,
            "password": account.password,
            **keys,
        }
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in section.items())
        self.write(f'[stall]\nafter = "0"\n[accounts.family]\n{lines}')

    @property
    def sign_ins(self) -> int:
        return sum(request.method == "POST" and request.path == "/login" for request in self.portal.requests)

    def code(self) -> str:
        """Return the code that an authenticator would show now."""
        secret = self.portal.account.totp_secret
        assert secret
        return code_at(secret, self.code_clock.step)


@contextmanager
def practice_workspace(folder: Path) -> Iterator[PracticeWorkspace]:
    code_clock = FrozenCodeClock()
    with PracticePortal(SystemClock(), terms=Terms(unix_time=code_clock.unix_time)) as portal:
        portal.cases.add(FIRST)
        portal.cases.add(SECOND, form="N-400")
        workspace = PracticeWorkspace(folder=folder, portal=portal, code_clock=code_clock)
        workspace.configure()
        yield workspace
