"""All checks, in the order in which a person would fix problems."""

from collections.abc import Iterator
from contextlib import ExitStack

from watcher.app import open_app
from watcher.clock import Clock
from watcher.doctor import (
    accounts,
    configuration,
    coverage,
    devices,
    disk,
    lists,
    network,
    official_mail,
    page,
)
from watcher.doctor.finding import Finding, Verdict, failed
from watcher.errors import StoreUnusable
from watcher.messages import _
from watcher.settings import Settings
from watcher.settings.derived import database_url
from watcher.settings.load import Configuration


def run_checks(loaded: Configuration, clock: Clock, *, offline: bool) -> Iterator[Finding]:
    """Yield each finding as it is made. Changes nothing and sends no credential. `offline` also avoids the network."""
    settings = loaded.settings
    yield from configuration.check_file(loaded)
    yield from configuration.check_time_zone(settings, clock.now())
    yield from configuration.check_secrets(loaded)
    yield from configuration.check_recipes(loaded)
    yield from configuration.check_state_folder(loaded)
    yield from disk.check_space(settings.state_dir)
    yield from disk.check_locks(settings)
    yield from disk.check_file_system(database_url(settings))
    yield from _check_database(settings, clock)
    yield from disk.check_unmoved_database(loaded)
    yield from disk.check_backups(settings, clock.now())
    yield from configuration.check_channels(loaded)
    yield from page.check_page(settings)
    if not offline:
        yield from page.check_address(settings, clock)
        yield from network.check_portals(settings, clock)


def _check_database(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Yield findings about the database and its contents. Does not create a database."""
    url = database_url(settings)
    integrity = list(disk.check_database(settings))
    yield from integrity
    if any(finding.verdict is Verdict.FAILED for finding in integrity) or not disk.database_exists(url):
        return
    with ExitStack() as stack:
        try:
            app = stack.enter_context(open_app(settings, clock=clock))
            findings = [
                *accounts.check_accounts(app),
                *accounts.check_sessions(app),
                *official_mail.check_official_mail(app),
                *accounts.check_alerts(app),
                *coverage.check_coverage(app),
                *lists.check_lists(app),
                *devices.check_devices(app),
                *page.check_devices(app),
            ]
        except StoreUnusable as error:
            yield failed(_("database"), str(error), _("fix what the reason says"))
            return
    yield from findings
