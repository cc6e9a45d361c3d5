"""The two application trackers of Immigration, Refugees and Citizenship Canada (IRCC).

A tracker has two origins: Amazon Cognito exchanges the UCI and the password for tokens, and the tracker's own data
service accepts these tokens. The password is submitted once; after that, the refresh token is used for as long as the
service accepts it. The formats are those that public clients of both trackers used from 2023 to 2026.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

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
        text="Which tracker?",
        choices={"immigration": "permanent and temporary residence", "citizenship": "citizenship"},
        default="immigration",
    ),
    Question(key="username", text="UCI", required=True),
    Question(key="password", text="The tracker's own password, not that of GCKey", secret=True, required=True),
    Question(key="cases", text="Application numbers to watch; empty: all of them", multiple=True),
)

PORTAL = Portal(
    name="ircc",
    title="IRCC application tracker",
    needs=("program (immigration or citizenship)", "username (the UCI)", "password (the tracker's own)"),
    sees=(
        "status of every application",
        "parts of an application (eligibility, medical, biometrics, background; language, test, oath)",
        "history",
        "actions and the number of waiting tasks",
        "date received, time of the last update",
    ),
    verified=(
        "against doubles of our own, written from what public clients of both trackers sent and read (2023 to 2026), "
        "and for the sign-in against Moto's Cognito; never against the live trackers. Not known: what an action of the "
        "immigration tracker looks like. Readings of history codes are other people's. A token's signature is not "
        "checked, its audience, use, issuer and end are. The data service is known to leave an intermediate "
        "certificate out: see ca_file"
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
