"""The whole examination, in the order in which a person would put things right."""

from collections.abc import Iterator
from contextlib import ExitStack

from watcher.app import open_app
from watcher.clock import Clock
from watcher.doctor import accounts, configuration, disk, network
from watcher.doctor.finding import Finding, Verdict, failed
from watcher.errors import StoreUnusable
from watcher.settings import Settings
from watcher.settings.derived import database_url
from watcher.settings.load import Configuration


def examine(found: Configuration, clock: Clock, *, offline: bool) -> Iterator[Finding]:
    """Every check, each finding as it is made. Writes nothing, sends no credential; `offline`: no network either."""
    settings = found.settings
    yield from configuration.check_file(found)
    yield from configuration.check_time_zone(settings, clock.now())
    yield from configuration.check_secrets(found)
    yield from configuration.check_recipes(found)
    yield from configuration.check_state_folder(found)
    yield from disk.check_space(settings.state_dir)
    yield from disk.check_file_system(database_url(settings))
    yield from _books(settings, clock)
    yield from disk.check_backups(settings, clock.now())
    yield from configuration.check_channels(found)
    if not offline:
        yield from network.check_portals(settings, clock)


def _books(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """The database, and what it says, where it is there and whole: looking must not make one."""
    url = database_url(settings)
    whole = list(disk.check_database(settings))
    yield from whole
    if any(finding.verdict is Verdict.FAILED for finding in whole) or not disk.is_there(url):
        return
    with ExitStack() as stack:
        try:
            app = stack.enter_context(open_app(settings, clock=clock))
            findings = [*accounts.check_accounts(app), *accounts.check_sessions(app), *accounts.check_alerts(app)]
        except StoreUnusable as error:
            yield failed("database", str(error), "see the reason")
            return
    yield from findings
