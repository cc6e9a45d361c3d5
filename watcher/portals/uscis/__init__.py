"""The USCIS online account (my.uscis.gov), which shows an applicant their cases after signing in.

It has no documented interface. The shapes are those of recordings that others published. The program makes few
requests: a handful, at most every four hours, with the user's own session.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from watcher.messages import mark
from watcher.model.alert import Links
from watcher.model.session_life import SessionLife
from watcher.portal import Portal, PortalContext, Question, Reader
from watcher.portals.uscis.account import UscisAccount
from watcher.portals.uscis.handover import handover_plan
from watcher.portals.uscis.saved_pages import import_answers
from watcher.portals.uscis.snapshot import snapshot

__all__ = ["PORTAL", "UscisAccount", "import_answers"]

_LINKS = Links(
    sign_in="https://myaccount.uscis.gov/sign-in",
    help="https://my.uscis.gov/account/v1/needhelp",
    reset="https://myaccount.uscis.gov/",
)


@contextmanager
def _open(account: UscisAccount, context: PortalContext) -> Iterator[Reader]:
    # Imported late: commands that only read the settings need neither an HTTP library nor a browser.
    from watcher.portals.uscis.browser_sign_in import sign_in  # noqa: PLC0415
    from watcher.portals.uscis.reader import UscisReader, request_session  # noqa: PLC0415

    if account.sign_in == "browser":
        yield UscisReader(account, context, partial(sign_in, account, context))
    else:
        yield UscisReader(account, context, partial(request_session, account))


_QUESTIONS = (
    Question(
        key="sign_in",
        text=mark("How should the program sign in?"),
        choices={
            "handover": mark(
                "recommended: it does not. Sign in with your own browser as you do anyway, and hand over what the pages"
                " show. USCIS asks for a code at every sign-in and ends the session within the hour, so nothing else"
                " lasts; reminders and deadlines go on between your visits"
            ),
            "session": mark("you sign in with your own browser and export its cookies; no password is stored"),
            "browser": mark("the program signs in itself with Chromium (needs the extra case-watcher[browser])"),
        },
        default="handover",
    ),
    Question(
        key="every",
        text=mark("How often should we remind you to hand over?"),
        default="3d",
        only_if=("sign_in", "handover"),
    ),
    Question(key="username", text=mark("E-mail address of the account"), required=True, only_if=("sign_in", "browser")),
    Question(
        key="password", text=mark("Password of the account"), secret=True, required=True, only_if=("sign_in", "browser")
    ),
    Question(
        key="mfa",
        text=mark("How do you get one-time codes?"),
        choices={
            "totp": mark("from an authenticator app whose secret key you have"),
            "email": mark("by e-mail, in a mailbox that the program may read"),
            "prompt": mark("you enter each code yourself"),
            "none": mark("the account uses no codes"),
        },
        default="prompt",
        only_if=("sign_in", "browser"),
    ),
    Question(
        key="totp_secret",
        text=mark("The secret key that USCIS showed when you set up the authenticator app"),
        secret=True,
        required=True,
        only_if=("mfa", "totp"),
    ),
    Question(
        key="mailbox.host",
        text=mark("IMAP server of the mailbox that receives the codes"),
        required=True,
        only_if=("mfa", "email"),
    ),
    Question(key="mailbox.username", text=mark("User name of the mailbox"), required=True, only_if=("mfa", "email")),
    Question(
        key="mailbox.password",
        text=mark("Password of the mailbox (often an app password)"),
        secret=True,
        only_if=("mfa", "email"),
    ),
    Question(
        key="cases", text=mark("Receipt numbers (IOE...) to watch (empty: all cases of the account)"), multiple=True
    ),
)


PORTAL = Portal(
    name="uscis",
    title=mark("USCIS online account"),
    needs=(
        mark(
            'sign_in = "handover" (recommended): you sign in as you do anyway, and hand over what the pages show'
            " (`watcher handover ACCOUNT`)"
        ),
        mark('or sign_in = "session": a session from your own browser (`watcher login ACCOUNT --cookies FILE`)'),
        mark('or sign_in = "browser": username, password, mfa, the optional extra case-watcher[browser], and Chromium'),
    ),
    sees=(
        mark("status in English and Spanish"),
        mark("history and event codes, with their published meanings as hints"),
        mark("requests for evidence, appointments, letters, documents by type"),
        mark("all cases of the account with a receipt number that begins with IOE; no paper receipts"),
    ),
    choose_for=mark("uscis for a USCIS online account (my.uscis.gov)"),
    session_note=mark(
        "How often: USCIS ends a session after 15 to 30 minutes without use, and after 8 hours at the latest. Expect"
        " to do this again for nearly every check. You get an alert when it is time."
    ),
    verified=mark(
        "with a test server built from published descriptions of the pages and answers (August 2026), the browser "
        "sign-in with a real Chromium; never with the live website"
    ),
    min_every=timedelta(hours=4),
    links=lambda _: _LINKS,
    agency="USCIS",
    account=UscisAccount,
    open=_open,
    read=snapshot,
    session_hosts=lambda account: account.origins.hosts,
    session_life=SessionLife(absolute=timedelta(hours=8), idle=timedelta(minutes=30)),
    importer=lambda _: import_answers,
    handover=handover_plan,
    origins=lambda account: (account.origins.auth, account.origins.cases),
    questions=_QUESTIONS,
)
