"""`watcher web`: a link that signs a device in to the page."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from watcher.app import App
from watcher.cli.context import open_context
from watcher.cli.groups import CommandGroup
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import print_error, print_json, print_line, screen_width, use_color
from watcher.clock.timestamps import utc_text
from watcher.messages import _, plural
from watcher.model.web import LINK_TIME, KeyKind
from watcher.privacy.web_tokens import new_token
from watcher.settings.page_url import page_url
from watcher.text.person_names import normalized_name


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLink:
    """A link that signs in one device. `person` None stands for everybody's cases."""

    url: str
    expires_at: datetime
    person: str | None
    read_only: bool


@click.group("web", cls=CommandGroup)
def web_command() -> None:
    """Sign devices in to the page."""


@web_command.command("link")
@CONFIG
@JSON
@click.option("--person", metavar="NAME", help="Show only the cases of this person.")
@click.option("--read-only", is_flag=True, help="Do not let the device change anything.")
def web_link_command(config: Path | None, person: str | None, *, read_only: bool, as_json: bool) -> None:
    """Print a link, and on a terminal its QR code, that signs one device in to the page.

    The link works once, within ten minutes. Anybody who has it can use it.

    Example: watcher web link --person Maria --read-only
    """
    with open_context(config) as app:
        link = new_link(app, person=person, read_only=read_only)
    if as_json:
        print_json(_document(link))
    else:
        print_link(link)


def new_link(app: App, *, person: str | None = None, read_only: bool = False) -> SignInLink:
    """Return a new link. Raises UsageError if the page is off."""
    url = page_url(app.settings.web)
    if not url:
        raise click.UsageError(_('The page is off. Set listen = "127.0.0.1:8788" in the section [web] first.'))
    name = None if person is None else _known_person(app, person)
    token, now = new_token(), app.clock.now()
    app.store.web.add(KeyKind.LINK, token, now=now, person=name, read_only=read_only)
    return SignInLink(url=f"{url}/sign-in/{token}", expires_at=now + LINK_TIME, person=name, read_only=read_only)


def print_link(link: SignInLink) -> None:
    """Print a link for a person, with its QR code on a terminal that has room for it."""
    minutes = int(LINK_TIME.total_seconds()) // 60
    print_line(plural("Open this link once, within {n} minute:", "Open this link once, within {n} minutes:", minutes))
    print_line(link.url)
    if use_color() and (code := _qr_code(link.url)):
        print_line()
        for line in code:
            click.secho(line, fg="bright_white", bg="black")


def _known_person(app: App, typed: str) -> str:
    """Return the name as it is written in the labels of cases. A name without a case is pointed out."""
    name = " ".join(typed.split())
    if not name or not name.isprintable():
        raise click.BadParameter(_("Enter the name of a person."), param_hint="--person")
    people = {said.person for said in app.store.user_cases().values() if said.person}
    known = next((person for person in sorted(people) if normalized_name(person) == normalized_name(name)), None)
    if known is None:
        text = _("No case is {person}'s yet. `watcher label CASE --person NAME` says whose a case is.", person=name)
        print_error(text)
    return known or name


def _qr_code(url: str) -> list[str]:
    """Return the lines of the QR code, white on black; none if the terminal is too narrow."""
    import io  # noqa: PLC0415 - with segno, for a terminal only

    import segno  # noqa: PLC0415

    drawn = io.StringIO()
    segno.make(url, error="l", micro=False).terminal(drawn, border=2, compact=True)
    lines = drawn.getvalue().splitlines()
    return lines if max(map(len, lines)) <= screen_width() else []


def _document(link: SignInLink) -> dict[str, Any]:
    return {
        "url": link.url,
        "expires_at": utc_text(link.expires_at),
        "person": link.person,
        "read_only": link.read_only,
    }
