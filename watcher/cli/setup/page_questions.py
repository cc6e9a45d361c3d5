"""The questions of `watcher init` about the page."""

from collections.abc import Mapping

from watcher.cli.setup.interview import ask_setting
from watcher.cli.terminal.prompts import ask, confirm
from watcher.messages import _
from watcher.wizard import ConfigDraft

_PORT = 8788
_URL = ("web", "url")


def ask_about_page(draft: ConfigDraft, environ: Mapping[str, str]) -> None:
    """Offer the page, unless it is set up. In a container, where it is the usual choice, ask for its address too.

    The image sets `container`, and compose.yaml sets `PAGE_URL` to the address of the published port.
    """
    in_container = bool(environ.get("container"))
    if draft.get(("web", "listen")):
        return
    if not confirm(_("Show your cases in a browser too?"), default=in_container or _hands_over(draft)):
        return
    if not in_container:
        draft.set(("web", "listen"), f"127.0.0.1:{_PORT}")
        return
    suggested = environ.get("PAGE_URL") or f"http://localhost:{_PORT}"

    def ask_once() -> str:
        url = ask(_("Address of this page, as your phone reaches it"), str(draft.get(_URL) or suggested))
        draft.set(("web", "insecure_lan"), url.startswith("http:") or None)
        draft.set(_URL, url)
        return url

    draft.set(("web", "listen"), f"0.0.0.0:{_PORT}")
    ask_setting(draft, _URL, ask_once)


def _hands_over(draft: ConfigDraft) -> bool:
    """Return whether an account is handed over, for which a bookmark or an extension needs the page."""
    accounts = draft.get(("accounts",)) or {}
    return any(account.get("sign_in") == "handover" for account in accounts.values())
