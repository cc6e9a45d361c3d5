"""`watcher health`: whether the daemon runs and can check cases, as an exit status for container engines."""

import http.client
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from watcher.cli.context import load_settings, read_only_context
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import print_json, print_line
from watcher.context.opening import missing_database
from watcher.context.read_only import ReadOnlyContext
from watcher.errors import StoreUnusable
from watcher.messages import _
from watcher.model.change import Json
from watcher.monitoring.reported_status import reported_status
from watcher.monitoring.service_status import ServiceStatus, status_json
from watcher.settings import HealthSettings
from watcher.store import Busy, StoreReader
from watcher.store.database.daemon_lock import hold_daemon_lock
from watcher.store.database.open_file import probe_disk

_TIMEOUT = 5.0
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - only compared with


@click.command("health")
@CONFIG
@JSON
def health_command(*, config: Path | None, as_json: bool) -> None:
    """Report whether `watcher run` is running and can check: exit status 0 if so, else 1.

    Asks the running program if [health] listen is set, else reads the database.
    """
    settings = load_settings(config)
    if settings.health.listen:
        healthy, document = _ask_daemon(settings.health)
    elif (file := missing_database(settings)) is not None:
        healthy, document = _unwell(_("there is no database {file}; start `watcher run`", file=file))
    else:
        with read_only_context(config) as context:
            healthy, document = _read_status(context)
    if as_json:
        print_json(document)
    else:
        print_line(str(document.get("summary") or document.get("reason") or document.get("status")))
    sys.exit(0 if healthy else 1)


def _ask_daemon(health: HealthSettings) -> tuple[bool, dict[str, Json]]:
    """Return what /healthz reports."""
    parts = urlsplit(f"//{health.listen}")
    host = _WILDCARDS.get(parts.hostname or "", parts.hostname or "")
    headers = {"Authorization": f"Bearer {health.token.get_secret_value()}"} if health.token else {}
    connection = http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/healthz", headers=headers)
        response = connection.getresponse()
        document = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _unwell(
            _(
                "`watcher run` does not answer at {address} ({error})",
                address=health.listen,
                error=type(error).__name__,
            )
        )
    finally:
        connection.close()
    return response.status == http.HTTPStatus.OK, document


def _read_status(context: ReadOnlyContext) -> tuple[bool, dict[str, Json]]:
    """Return the status in the database and whether the daemon's lock is held.

    Daemons that share a database do not hold the lock.
    """
    store = context.store
    if not store.shared and not _daemon_runs(store):
        return _unwell(_("`watcher run` is not running for the database {database}", database=store.display_name))
    if store.file is not None:
        try:
            probe_disk(store.file)
        except StoreUnusable as error:
            return _unwell(str(error))
    reported = reported_status(context.settings, store.accounts.all(), store.outbox.counts())
    status = ServiceStatus(at=context.clock.now(), reported=reported)
    return status.healthy, status_json(status)


def _unwell(reason: str) -> tuple[bool, dict[str, Json]]:
    return False, {"status": "unwell", "reason": reason}


def _daemon_runs(store: StoreReader) -> bool:
    try:
        with hold_daemon_lock(store.locks, store.file):
            return False
    except Busy:
        return True
