"""Play the demo until its request for evidence is open, and take the pictures: `python -m tests.web.screenshots`."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from tests.web.serving import plain, serving
from watcher.app import open_app
from watcher.cli.setup.demo import play
from watcher.context.opening import read_settings
from watcher.model.web import KeyKind
from watcher.practice.story import ADJUSTMENT_OF_STATUS, MAIN_CASE, QUIET_CASE
from watcher.privacy.private_file import write_private_file
from watcher.privacy.web_tokens import digest_of, new_token
from watcher.settings import Settings
from watcher.sign_in.browser import running_chromium
from watcher.store.database.daemon_lock import hold_daemon_lock
from watcher.web.app import create_app
from watcher.web.case_ids import case_id
from watcher.web.context import WebContext

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ViewportSize

FOLDER = Path(__file__).parent
DAYS = 104
"""Four days after the story's request for evidence."""
PHONE: "ViewportSize" = {"width": 390, "height": 780}
DESK: "ViewportSize" = {"width": 1200, "height": 800}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its file, the path of the page, and how it is shown."""

    name: str
    path: str
    size: "ViewportSize"
    scheme: Literal["light", "dark"] = "light"


def pictures(alert: str) -> list[Picture]:
    """Return the pictures. `alert` is the token of the link in the alert about the request."""
    case = f"/cases/{case_id(MAIN_CASE)}"
    return [
        Picture("overview-phone", "/", PHONE),
        Picture("alert-phone", f"/a/{alert}", PHONE),
        Picture("case", case, DESK, "dark"),
    ]


def main() -> None:
    """Take every picture anew."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        config = play(folder, 25, stack, story=replace(ADJUSTMENT_OF_STATUS, days=DAYS))
        write_private_file(config, config.read_bytes() + b'\n[web]\nlisten = "127.0.0.1:8788"\n')
        settings = read_settings(config, {})
        link, alert = _prepare(settings)
        with open_app(settings) as app:
            stack.enter_context(hold_daemon_lock(app.store.locks, folder / "watcher.sqlite3"))
            site = create_app(WebContext(settings=settings, config=config))
            server = stack.enter_context(serving(plain(site)))
            chromium = stack.enter_context(running_chromium())
            _take(chromium, f"http://localhost:{server.port}", link, pictures(alert))


def _prepare(settings: Settings) -> tuple[str, str]:
    """Name the cases, and return the tokens of a link to sign in and of the alert about the request."""
    with open_app(settings) as app:
        app.store.user.label(
            {
                MAIN_CASE: {"label": "Maria's green card", "person": "Maria"},
                QUIET_CASE: {"label": "Maria's work permit", "person": "Maria"},
            }
        )
        link, token = new_token(), new_token()
        app.store.web.add(KeyKind.LINK, link, now=app.clock.now())
        request = next(alert for alert in app.store.outbox.list() if "evidence" in alert.title.lower())
        app.store.outbox.set_link(request.id, digest_of(token))
        return link, token


def _take(chromium: "Browser", base: str, link: str, wanted: list[Picture]) -> None:
    signed_in = chromium.new_context(locale="en-US")
    tab = signed_in.new_page()
    tab.goto(f"{base}/sign-in/{link}")
    tab.click("main form button")
    tab.wait_for_url(f"{base}/")
    for picture in wanted:
        state = None if picture.path.startswith("/a/") else signed_in.storage_state()
        context = chromium.new_context(
            locale="en-US", viewport=picture.size, color_scheme=picture.scheme, storage_state=state
        )
        shown = context.new_page()
        shown.goto(base + picture.path)
        shown.screenshot(path=FOLDER / f"{picture.name}.png")
        context.close()


if __name__ == "__main__":
    main()
