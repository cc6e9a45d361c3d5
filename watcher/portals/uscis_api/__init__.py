"""The USCIS Case Status API (developer.uscis.gov), the only source that USCIS itself offers to programs.

It answers about any receipt number, one at a time, for organizations that USCIS has approved. An answer contains a
status in English and Spanish, and sometimes dates and a history, but no requests, appointments, or documents.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

from watcher.messages import mark
from watcher.model.alert import Links
from watcher.portal import Portal, PortalContext, Question, Reader
from watcher.portals.uscis_api.account import UscisApiAccount
from watcher.portals.uscis_api.snapshot import read

_LINKS = Links(sign_in="https://egov.uscis.gov/", help="https://www.uscis.gov/contactcenter")


@contextmanager
def _open(account: UscisApiAccount, context: PortalContext) -> Iterator[Reader]:
    # Imported late: commands that only read the settings need no HTTP library.
    from watcher.portals.uscis_api.reader import open_reader  # noqa: PLC0415

    with open_reader(account, context) as reader:
        yield reader


def _origins(account: UscisApiAccount) -> tuple[str, ...]:
    token = urlsplit(account.token_endpoint)
    return tuple(dict.fromkeys((account.origin, f"{token.scheme}://{token.netloc}")))


def _caution(account: UscisApiAccount) -> str:
    return "sandbox" if account.at_sandbox else ""


_QUESTIONS = (
    Question(key="client_id", text=mark("Client ID, from your app's page at developer.uscis.gov"), required=True),
    Question(key="client_secret", text=mark("Client secret, from the same page"), secret=True, required=True),
    Question(key="cases", text=mark("Receipt numbers to watch"), multiple=True, required=True),
    Question(
        key="base_url",
        text=mark(
            "Production address, from your access letter from USCIS (empty: the USCIS sandbox, for testing only)"
        ),
        if_empty=mark(
            "Warning: without an address, this account reads the USCIS sandbox. It has made-up cases only, and your own"
            " cases will not be found there."
        ),
    ),
)
_GUIDE = mark(
    """\
USCIS gives API credentials to organizations in the United States, normally not to individuals. To get them:
  1. Register at https://developer.uscis.gov, create an app, and add the Case Status API to it.
  2. The app's page shows the client ID and the client secret. At first they work for the sandbox only, which has
     made-up cases.
  3. For real cases, request production access there. USCIS asks for Form G-1595, test requests to the sandbox on five
     days in a row, and a demonstration. Its access letter then names the production address."""
)

PORTAL = Portal(
    name="uscis-api",
    title=mark("USCIS Case Status API"),
    needs=("client_id", "client_secret", "cases"),
    sees=(
        mark("status"),
        mark("form"),
        mark("dates of submission and last change (not for IOE receipts)"),
        mark("history"),
    ),
    choose_for=mark("uscis-api if your organization has API credentials from developer.uscis.gov"),
    guide=_GUIDE,
    verified=mark("with answers in the published format (October 2026) from a test server; never with USCIS itself"),
    min_every=timedelta(minutes=30),
    links=lambda _: _LINKS,
    agency="USCIS",
    caution=_caution,
    account=UscisApiAccount,
    open=_open,
    read=read,
    origins=_origins,
    questions=_QUESTIONS,
)
