"""`watcher health`: whether the daemon lives and can see, told to container engines by the exit status."""

import http.client
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from watcher.cli.context import load_settings, read_only_context
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import print_json, print_line
from watcher.context.read_only import ReadOnlyContext
from watcher.model.change import Json
from watcher.monitoring.service_status import service_status
from watcher.monitoring.service_status import status_json as document_of
from watcher.settings import HealthSettings
from watcher.store import Busy, StoreReader

_TIMEOUT = 5.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not listened on


@click.command("health")
@CONFIG
@JSON
def health_command(*, config: Path | None, as_json: bool) -> None:
    """Says whether the daemon runs and can see: exit status 0 where it does, 1 where not.

    It asks the daemon itself where [health] listen is set, and else looks into the books.
    """
    health = load_settings(config).health
    if health.listen:
        well, told = _asked(health)
    else:
        with read_only_context(config) as books:
            well, told = _looked_up(books)
    if as_json:
        print_json(told)
    else:
        print_line(str(told.get("summary") or told.get("reason") or told.get("status")))
    sys.exit(0 if well else 1)


def _asked(health: HealthSettings) -> tuple[bool, dict[str, Json]]:
    """What /healthz says."""
    parts = urlsplit(f"//{health.listen}")
    host = _EVERYWHERE.get(parts.hostname or "", parts.hostname or "")
    headers = {"Authorization": f"Bearer {health.token.get_secret_value()}"} if health.token else {}
    connection = http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/healthz", headers=headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        return False, {"status": "unwell", "reason": f"no daemon answers at {health.listen}: {type(error).__name__}"}
    finally:
        connection.close()
    return answer.status == http.HTTPStatus.OK, told


def _looked_up(books: ReadOnlyContext) -> tuple[bool, dict[str, Json]]:
    """What the books say, and whether anybody holds the daemon's lock; daemons that share a database hold none."""
    store = books.store
    if not store.shared and not _runs(store):
        return False, {"status": "unwell", "reason": f"no `watcher run` works on {store.display_name}"}
    condition = service_status(books.settings, store.accounts.all(), store.outbox.counts(), now=books.clock.now())
    return condition.healthy, document_of(condition)


def _runs(store: StoreReader) -> bool:
    try:
        with store.locks.acquire("daemon"):
            return False
    except Busy:
        return True
