"""`watcher handover`: what hands over from the person's own signed-in browser."""

from pathlib import Path
from shlex import quote

import click

from watcher.app import App
from watcher.cli.act.check import account_names
from watcher.cli.context import open_context
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import print_json, print_line
from watcher.errors import os_error_text
from watcher.handover.offer import NothingToHandOver, script_of
from watcher.handover.scripts import Script
from watcher.messages import _
from watcher.model.web import KeyKind
from watcher.privacy.private_file import replace_private_file
from watcher.privacy.web_tokens import new_token
from watcher.settings.page_url import page_url


@click.command("handover")
@CONFIG
@JSON
@click.option(
    "--extension",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the extension for Chromium and Firefox to this file (ZIP).",
)
@click.option(
    "--shortcut",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the script for an iPhone's Shortcut to this file.",
)
@click.option("--revoke", is_flag=True, help="End all bookmarks, Shortcuts, and extensions of the account.")
@click.argument("account")
def handover_command(
    config: Path | None, account: str, extension: Path | None, shortcut: Path | None, *, as_json: bool, revoke: bool
) -> None:
    """Make a bookmark that hands over the cases of ACCOUNT from your own browser.

    Sign in to the website as you always do, then open the bookmark: it reads your cases in that tab and sends them to
    case-watcher, as one check. It never reads a cookie. Needs the page: [web] listen and, for other devices, url in the
    configuration.

    Example: watcher handover family --extension hand-over.zip
    """
    with open_context(config) as app:
        account_names(app, (account,), param_hint="ACCOUNT")
        if revoke:
            _revoke(app, account)
            return
        if not app.settings.web.listen:
            raise click.UsageError(
                _(
                    "The page is off, and a hand-over needs it. Set `listen` in [web], and `url` for other devices."
                    " Without the page, `watcher import ACCOUNT FILE` takes pages that you saved."
                )
            )
        script = _script(app, account)
    for file, content in ((extension, script.extension), (shortcut, lambda: script.shortcut().encode())):
        if file is not None:
            _write(file, content())
    if as_json:
        print_json({"account": account, "origin": script.plan.origin, "bookmark": script.bookmark()})
        return
    _explain(script, extension, shortcut)


def _script(app: App, account: str) -> Script:
    """Add a key, and return the scripts with it."""
    token, known = new_token(), app.store.known_cases(account)
    try:
        script = script_of(app.settings.accounts[account], token, page=page_url(app.settings.web), known=known)
    except NothingToHandOver as error:
        raise click.ClickException(str(error)) from None
    app.store.web.add(KeyKind.HANDOVER, token, now=app.clock.now(), name=account)
    return script


def _revoke(app: App, account: str) -> None:
    keys = [key.id for key in app.store.web.keys(KeyKind.HANDOVER) if key.name == account]
    app.store.web.remove(*keys)
    print_line(_("{account}: no bookmark, Shortcut, or extension can hand over anymore.", account=account))


def _write(file: Path, content: bytes) -> None:
    """Write a file that only the owner can read, because it contains a key."""
    try:
        with replace_private_file(file) as stream:
            stream.write(content)
    except OSError as error:
        raise click.ClickException(f"{file}: {os_error_text(error)}") from None


def _explain(script: Script, extension: Path | None, shortcut: Path | None) -> None:
    site, account = script.plan.origin, script.account
    if extension is not None:
        print_line(
            _(
                "{file}: unpack it, then load the folder in the browser: chrome://extensions (developer mode), or"
                " about:debugging in Firefox. Sign in at {site}, and press its button.",
                file=extension,
                site=site,
            )
        )
    if shortcut is not None:
        print_line(
            _(
                '{file}: paste it into the action "Run JavaScript on Web Page" of a Shortcut. The page of the account'
                " shows each step.",
                file=shortcut,
            )
        )
    if extension is None and shortcut is None:
        print_line(
            _(
                "Make a bookmark with the address below. Sign in at {site}, open your cases, and open the bookmark.",
                site=site,
            )
        )
        print_line("")
        print_line(script.bookmark())
        print_line("")
    print_line(
        _(
            "It contains a key that can hand over to {account} and nothing else. `watcher handover {account} --revoke`"
            " ends it.",
            account=quote(account),
        )
    )
