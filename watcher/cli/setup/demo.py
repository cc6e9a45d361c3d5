"""`watcher demo`: the whole program against the practice portal in under a minute, without a configuration.

Nothing is skipped: a configuration file is written and read; the daemon runs with its scheduler, signs in over HTTPS
with a one-time code, and compares with a real database; and Apprise delivers to a phone, which is a small local web
server. Only the clock runs fast.
"""

import json
import os
import socket
import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import as_file, files
from math import ceil
from pathlib import Path
from queue import Empty, SimpleQueue
from shlex import quote
from shutil import copyfile
from tempfile import TemporaryDirectory
from textwrap import wrap
from typing import Any, Self

import click

from watcher.app import App, open_app
from watcher.cli.setup.web import serve_page
from watcher.cli.show.history import history_command
from watcher.cli.show.sign_in_link import new_link, print_link
from watcher.cli.show.status import status_command
from watcher.cli.terminal.output import print_line, styled
from watcher.clock import FastClock
from watcher.context.opening import database_file, read_settings
from watcher.daemon.daemon import Daemon
from watcher.errors import os_error_text
from watcher.language.catalogue import load_catalogue
from watcher.language.date_text import moment_text
from watcher.messages import _, current_language, plural
from watcher.model.alert import AlertState
from watcher.monitoring import logs
from watcher.practice import PracticePortal, Terms
from watcher.practice.story import ADJUSTMENT_OF_STATUS, Story
from watcher.privacy.private_file import create_private_folder, write_private_file
from watcher.store.database.daemon_lock import hold_daemon_lock

_DAYS_PER_SECOND = 10.0
_WIDTH = 76
_INTERVAL = 0.05  # real seconds
_MAX_AHEAD = timedelta(days=4)
"""How far the clock runs ahead of the last check: less than `blind_after`."""

_CONFIGURATION = """\
# Written by `watcher demo`. Everything in it is made up.
timezone = "America/New_York"
language = "{language}"
state_dir = "{state_dir}"

[schedule]
every = "1d"
jitter = "0"
blind_after = "5d"

[accounts.practice]
portal = "recipe"
recipe = "{recipe}"
base_url = "{base_url}"
ca_file = "{ca_file}"
username = "{username}"
password = "{password}"
totp_secret = "{totp_secret}"

[channels.phone]
url = "json://127.0.0.1:{port}/phone"
min_severity = "routine"
max_per_hour = 0
"""


@click.command("demo")
@click.option(
    "--speed", type=click.FloatRange(min=1.0, max=50.0), help="The number of days that pass in one second. Default: 10."
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the configuration and the database in this folder.",
)
@click.option("--web", is_flag=True, help="Show the case in a browser afterwards, until Ctrl-C.")
def demo_command(speed: float | None, keep: Path | None, *, web: bool) -> None:
    """Show fourteen months of a made-up case in under a minute.

    The whole program runs against a practice portal on this machine. Nothing needs to be set up.
    """
    logs.configure(level="critical", environ=os.environ)
    with ExitStack() as stack:
        folder = keep.absolute() if keep else Path(stack.enter_context(TemporaryDirectory(prefix="watcher-demo-")))
        try:
            create_private_folder(folder)
        except OSError as error:
            raise click.BadParameter(f"{folder}: {os_error_text(error)}", param_hint="--keep") from None
        if (folder / "watcher.sqlite3").exists():
            raise click.UsageError(_("{folder} already contains a database. Choose another folder.", folder=folder))
        config = play(folder, speed or _DAYS_PER_SECOND, stack)
        for command in (status_command, history_command):
            print_line()
            print_line(f"$ watcher {command.name}", bold=True)
            command.main(args=["--config", str(config)], standalone_mode=False)
        print_line()
        if web:
            show_page(config)
        if keep:
            shown = f"watcher status --config {quote(str(config))}"
            print_line(_("The configuration and the database are kept. Try: {command}", command=shown))
        else:
            print_line(_("This was a demonstration; nothing of it is kept. `watcher init` sets up your own cases."))


def show_page(config: Path) -> None:
    """Show the page of the demo's case until it is told to end."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
        write_private_file(config, config.read_bytes() + f'\n[web]\nlisten = "127.0.0.1:{port}"\n'.encode())
        settings = read_settings(config, {})
        # The page says whether the program runs; in the demo it has just done so.
        with open_app(settings) as app, hold_daemon_lock(app.store.locks, database_file(settings)):
            print_link(new_link(app))
            print_line(_("Press Ctrl-C to end the page."))
            serve_page(listening, settings, config)
        print_line()


def play(folder: Path, days_per_second: float, stack: ExitStack, *, story: Story = ADJUSTMENT_OF_STATUS) -> Path:
    """Run the story through the daemon. Return the configuration file.

    Time waits for checks and alerts: on a busy machine, one that takes long would look like days without any.
    """
    start = datetime.now(UTC) - timedelta(days=story.days)
    clock = FastClock(start, speed=days_per_second * 86400, limit=start)
    lifetimes = Terms(session_lifetime=timedelta(days=2 * story.days), token_lifetime=timedelta(days=story.days))
    portal = stack.enter_context(PracticePortal(clock, story=story, terms=lifetimes))
    recipe = stack.enter_context(as_file(files("watcher.practice") / "practice.toml"))
    phone = stack.enter_context(_Phone())
    config = _write_configuration(folder, portal, recipe, phone.port)
    app = stack.enter_context(open_app(read_settings(config, {}), clock=clock))
    text = plural(
        "The practice portal runs at {address}. One second is {days} day. Alerts appear below.",
        "The practice portal runs at {address}. One second is {days} days. Alerts appear below.",
        ceil(days_per_second),
        address=portal.base_url,
        days=f"{days_per_second:g}",
    )
    print_line(text)
    daemon = Daemon(app)
    daemon.start()
    _show_alerts(app, clock, phone, until=start + timedelta(days=story.days), start=start)
    daemon.stop()
    print_line()
    print_line(_summary(story, portal, phone.received))
    return config


def _summary(story: Story, portal: PracticePortal, alerts: int) -> str:
    checks = sum(1 for request in portal.requests if request.path == "/cases")
    sign_ins = sum(1 for request in portal.requests if (request.method, request.path) == ("POST", "/login"))
    return _(
        "{days}, {checks}, {sign_ins}, {alerts}.",
        days=plural("{n} day", "{n} days", story.days),
        checks=plural("{n} check", "{n} checks", checks),
        sign_ins=plural("{n} sign-in with a one-time code", "{n} sign-ins with a one-time code", sign_ins),
        alerts=plural("{n} alert", "{n} alerts", alerts),
    )


def _write_configuration(folder: Path, portal: PracticePortal, recipe: Path, port: int) -> Path:
    config = folder / "watcher.toml"
    portal.write_ca(folder / "ca.pem")
    account = portal.account
    text = _CONFIGURATION.format(
        language=current_language(),
        state_dir=folder,
        recipe=copyfile(recipe, folder / recipe.name),
        base_url=portal.base_url,
        ca_file=folder / "ca.pem",
        username=account.username,
        password=account.password,
        totp_secret=account.totp_secret,
        port=port,
    )
    write_private_file(config, text.encode())
    return config


def _show_alerts(app: App, clock: FastClock, phone: "_Phone", *, until: datetime, start: datetime) -> None:
    """Print each alert as it arrives, until the story is over and the outbox is empty."""
    while clock.now() < until or app.store.outbox.next_needed(clock.now()) is not None or not phone.messages.empty():
        _let_time_pass(app, clock)
        try:
            alert = phone.messages.get(timeout=_INTERVAL)
        except Empty:
            continue
        _show(alert, _day(app, alert["title"], start))


def _let_time_pass(app: App, clock: FastClock) -> None:
    """Let the clock run on, unless an alert is still to be sent for the first time."""
    if any(not alert.attempts for alert in app.store.outbox.list(state=AlertState.QUEUED)):
        return
    for health, _next_check in app.store.accounts.all().values():
        if health.last_attempt_at is not None:
            clock.run_until(health.last_attempt_at + _MAX_AHEAD)


def _day(app: App, title: str, start: datetime) -> str:
    """Return the date on which the demo created an alert, and the number of days since its start."""
    created = (alert.created_at for alert in app.store.outbox.list() if alert.title == title)
    created_at = max(created, default=app.clock.now())
    zone = app.settings.timezone
    date = moment_text(created_at.astimezone(zone).date(), load_catalogue(app.settings.language), zone)
    return _("{date}, day {number}", date=date, number=(created_at - start).days)


def _show(alert: dict[str, Any], time_text: str) -> None:
    """Print one alert as a phone would show it."""
    print_line()
    print_line(styled(f"  {time_text}", "cyan"))
    print_line("  ╭" + "─" * (_WIDTH - 4) + "╮")
    for line in wrap(alert["title"], _WIDTH - 6):
        print_line(f"  │ {styled(line.ljust(_WIDTH - 6), None, bold=True)} │")
    for paragraph in alert["message"].splitlines():
        for line in wrap(paragraph, _WIDTH - 6) or [""]:
            print_line(f"  │ {line.ljust(_WIDTH - 6)} │")
    print_line("  ╰" + "─" * (_WIDTH - 4) + "╯")


@dataclass
class _Phone:
    """A web server on loopback that receives Apprise's requests."""

    messages: "SimpleQueue[dict[str, Any]]" = field(default_factory=SimpleQueue)
    received: int = 0

    def __enter__(self) -> Self:
        phone = self

        class Inbox(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                phone.received += 1
                phone.messages.put(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
                """Do nothing; the alert itself is shown."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Inbox)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
