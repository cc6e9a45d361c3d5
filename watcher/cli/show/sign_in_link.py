"""A link that signs one device in to the page."""

from dataclasses import dataclass
from datetime import datetime

import click

from watcher.app import App
from watcher.cli.terminal.output import print_error, print_line, screen_width, use_color
from watcher.messages import _, mark, plural
from watcher.model.web import LINK_TIME, KeyKind
from watcher.privacy.web_tokens import new_token
from watcher.settings.page_url import page_url
from watcher.text.person_names import normalized_name

PAGE_IS_OFF = mark('The page is off. Set listen = "127.0.0.1:8788" in the section [web] first.')


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLink:
    """A link that signs in one device. `person` None stands for everybody's cases."""

    url: str
    expires_at: datetime
    person: str | None
    read_only: bool


def print_first_link(app: App) -> None:
    """Print a link if no device is signed in yet."""
    if not (app.store.web.keys(KeyKind.DEVICE) or app.store.web.passkeys()):
        print_link(new_link(app))


def new_link(app: App, *, person: str | None = None, read_only: bool = False) -> SignInLink:
    """Return a new link. Raises UsageError if the page is off."""
    url = page_url(app.settings.web)
    if not url:
        raise click.UsageError(_(PAGE_IS_OFF))
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
        text = _(
            "No case belongs to {person} yet. `watcher label CASE --person NAME` says whose case it is.", person=name
        )
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
