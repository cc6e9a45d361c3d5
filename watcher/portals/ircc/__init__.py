"""The two application trackers of Immigration, Refugees and Citizenship Canada (IRCC).

A tracker has two origins: Amazon Cognito exchanges the UCI and the password for tokens, and the tracker's own data
service accepts these tokens. The password is submitted once; after that, the refresh token is used for as long as the
service accepts it. The formats are those that public clients of both trackers used from 2023 to 2026.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from watcher.messages import mark
from watcher.model.alert import Links
from watcher.portal import Portal, PortalContext, Question, Reader
from watcher.portals.ircc.account import AUTH_URL, IrccAccount
from watcher.portals.ircc.pending_items import VOCABULARY
from watcher.portals.ircc.snapshot import read_case


@contextmanager
def _open(account: IrccAccount, context: PortalContext) -> Iterator[Reader]:
    # Imported here so that commands that only read the settings do not load the HTTP library.
    from watcher.portals.ircc.reader import open_reader  # noqa: PLC0415

    with open_reader(account, context) as reader:
        yield reader


def _links(account: IrccAccount) -> Links:
    return Links(
        sign_in=f"{account.tracker.site}/en/login",
        help="https://www.canada.ca/en/immigration-refugees-citizenship/contact-ircc.html",
        reset=f"{account.tracker.site}/en/login",
    )


def _origins(account: IrccAccount) -> tuple[str, ...]:
    return (account.base_url or account.tracker.api, account.auth_url or AUTH_URL)


_QUESTIONS = (
    Question(
        key="program",
        text=mark("Which application tracker?"),
        choices={"immigration": mark("permanent and temporary residence"), "citizenship": mark("citizenship")},
        default="immigration",
    ),
    Question(key="username", text=mark("Your UCI (8 or 10 digits)"), required=True),
    Question(
        key="password", text=mark("Password of the tracker (not your GCKey password)"), secret=True, required=True
    ),
    Question(key="cases", text=mark("Application numbers to watch (empty: all)"), multiple=True),
)

PORTAL = Portal(
    name="ircc",
    title=mark("IRCC application tracker"),
    needs=(
        mark("program (immigration or citizenship)"),
        mark("username (the UCI)"),
        mark("password (the tracker's own)"),
    ),
    sees=(
        mark("status of every application"),
        mark("parts of an application (eligibility, medical, biometrics, background; language, test, oath)"),
        mark("history"),
        mark("actions, and the number of tasks to do"),
        mark("date received and time of the last update"),
    ),
    choose_for=mark("ircc for an IRCC application tracker (Canada)"),
    verified=mark(
        "with test servers written from public clients of both trackers (2023 to 2026), the sign-in with Moto's"
        " Cognito; never with the live trackers. Not known: what an action of the immigration tracker looks like. The"
        " meanings of history codes come from other people. A token's audience, use, issuer, and expiry are checked,"
        " but not its signature. The data service is known to omit an intermediate certificate: see ca_file"
    ),
    min_every=timedelta(hours=1),
    links=_links,
    agency="IRCC",
    account=IrccAccount,
    open=_open,
    read=read_case,
    vocabulary=VOCABULARY,
    origins=_origins,
    questions=_QUESTIONS,
)
